import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Who sits before a provider. */
export interface Somebody {
  sub: string;
  email: string;
}

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A provider of identities by OpenID Connect, at an address of this machine. It vouches for somebody or, when nobody sits there, refuses. */
export class Provider {
  /** With what it was asked for a code. */
  readonly asked: URLSearchParams[] = [];
  somebody: Somebody | null = null;
  private readonly key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly grants = new Map<string, { somebody: Somebody; asked: URLSearchParams }>();

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {
    server.on('request', (request, response) => void this.answer(request, response));
  }

  static async start(): Promise<Provider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Provider(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  /** What a service needs to know of it. */
  get settings(): Record<string, string> {
    return {
      STRATA_OIDC_ISSUER: this.issuer,
      STRATA_OIDC_CLIENT_ID: 'console',
      STRATA_OIDC_CLIENT_SECRET: 'a secret of the story',
      STRATA_OIDC_TITLE: 'The company',
    };
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.issuer);
    const tell = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === '/.well-known/openid-configuration') tell(200, this.metadata());
    else if (pathname === '/keys') {
      const key = { ...this.key.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
      tell(200, { keys: [key] });
    } else if (pathname === '/authorize')
      response.writeHead(302, { location: this.wayBack(searchParams) }).end();
    else if (pathname === '/token') {
      const tokens = this.tokens(new URLSearchParams(await text(request)));
      tell(tokens ? 200 : 400, tokens ?? { error: 'invalid_grant' });
    } else response.writeHead(404).end();
  }

  private metadata(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
  }

  private wayBack(asked: URLSearchParams): string {
    this.asked.push(asked);
    const back = new URL(asked.get('redirect_uri') ?? '');
    back.searchParams.set('state', asked.get('state') ?? '');
    if (this.somebody === null) {
      back.searchParams.set('error', 'access_denied');
    } else {
      const code = `code-${this.asked.length}`;
      this.grants.set(code, { somebody: this.somebody, asked });
      back.searchParams.set('code', code);
    }
    return back.href;
  }

  /** Against a code, once, and only for whoever began with the verifier. */
  private tokens(form: URLSearchParams): Record<string, unknown> | null {
    const grant = this.grants.get(form.get('code') ?? '');
    this.grants.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (grant?.asked.get('code_challenge') !== challenge) return null;
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      aud: grant.asked.get('client_id'),
      nonce: grant.asked.get('nonce'),
      iat: now,
      exp: now + 60,
      ...grant.somebody,
      email_verified: true,
    };
    const signed = `${encoded({ alg: 'RS256', kid: 'one' })}.${encoded(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), this.key.privateKey).toString('base64url');
    return { access_token: 'of no use', token_type: 'Bearer', id_token: `${signed}.${signature}` };
  }
}
