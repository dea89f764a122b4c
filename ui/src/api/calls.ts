import { Store } from './store';

/** A call that the console made, for whoever wants to make it by curl. */
export interface Call {
  id: number;
  method: string;
  /** With the query, without the host. */
  path: string;
  body: string | null;
  contentType: string | null;
  status: number | null;
  ms: number | null;
  at: number;
  requestId: string | null;
  /** What came back, where it is text; null before, and for what is no text or a secret. */
  answer: string | null;
}

const KEPT = 100;
/** What stands for a file, and for longer bodies. */
export const A_FILE = '@file';
const BODY_MAX = 4_000;
/** Of longer answers the beginning is kept. */
const ANSWER_MAX = 20_000;

export const calls = new Store<Call[]>([]);
let next = 1;

/** Secrets never get into the record. */
const isSecret = (path: string) => /^\/api\/v1\/(auth|accounts\/me\/password)/.test(path);

const SECRETS = /"((?:\w+_)?(?:password|token|secret|link))"(\s*:\s*)"(?:[^"\\]|\\.)*"?/g;

/** The same JSON, also when it is cut off, without what would let somebody in. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRETS, '"$1"$2"…"');
}

export function begin(method: string, path: string, body: string | null, contentType: string | null): number {
  const id = next++;
  const shown =
    body === null || isSecret(path) ? null : body.length > BODY_MAX ? A_FILE : withoutSecrets(body);
  const call = {
    id,
    method,
    path,
    body: shown,
    contentType,
    status: null,
    ms: null,
    at: Date.now(),
    requestId: null,
    answer: null,
  };
  calls.set([call, ...calls.get()].slice(0, KEPT));
  return id;
}

export function end(id: number, status: number, requestId: string | null): void {
  calls.set(
    calls
      .get()
      .map((call) => (call.id === id ? { ...call, status, requestId, ms: Date.now() - call.at } : call)),
  );
}

export function answered(id: number, text: string): void {
  calls.set(
    calls
      .get()
      .map((call) =>
        call.id === id && !isSecret(call.path)
          ? { ...call, answer: withoutSecrets(text.slice(0, ANSWER_MAX)) }
          : call,
      ),
  );
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** The line that does the same from a shell; the token is left to the reader. */
export function curl(call: Pick<Call, 'method' | 'path' | 'body' | 'contentType'>, origin: string): string {
  const parts = ['curl'];
  if (call.method !== 'GET') parts.push('-X', call.method);
  parts.push('-H', '"Authorization: Bearer $STRATA_TOKEN"');
  if (call.body !== null) {
    parts.push('-H', quoted(`Content-Type: ${call.contentType ?? 'application/json'}`));
    parts.push(call.body === A_FILE ? '--data-binary @file' : `--data-binary ${quoted(call.body)}`);
  }
  return [...parts, quoted(origin + call.path)].join(' ');
}
