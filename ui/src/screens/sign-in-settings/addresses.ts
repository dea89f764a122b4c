import type { Schemas } from '../../api/client';

/** What each kind of provider is called as long as nobody set it up: the service's defaults. */
export const NAMES = { yandex: 'yandex', oidc: 'oidc' } as const;
export type Kind = keyof typeof NAMES;
export const KINDS: Kind[] = ['yandex', 'oidc'];

/** The keys that set each kind up, the first ones first; those of secrets too, since only their names stand here. */
export const KEYS: Record<Kind, string[]> = {
  yandex: ['yandex_client_id', 'yandex_client_secret', 'yandex_client_secret_file'],
  oidc: [
    'oidc_issuer',
    'oidc_client_id',
    'oidc_client_secret',
    'oidc_client_secret_file',
    'oidc_name',
    'oidc_title',
    'oidc_scopes',
  ],
};

/** The same key, as the environment says it. */
export function variableOf(key: string): string {
  return `STRATA_${key.toUpperCase()}`;
}

/** Where a provider has to lead back to, letter for letter. */
export function callbackOf(publicUrl: string | null, origin: string, provider: string): string {
  const base = (publicUrl ?? origin).replace(/\/+$/, '');
  return `${base}/api/v1/auth/providers/${provider}/callback`;
}

/** Those of a kind, and those of a kind that this console does not know beside them. */
export function ofKind(providers: Schemas['SetUpProvider'][], kind: Kind | null) {
  return providers.filter((one) =>
    kind === null ? !KINDS.some((known) => known === one.kind) : one.kind === kind,
  );
}
