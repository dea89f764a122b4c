import createClient, { type Middleware } from 'openapi-fetch';
import * as calls from './calls';
import { ProblemError, UnreachableError } from './problem';
import type { components, paths } from './schema';
import { Store } from './store';

export type Schemas = components['schemas'];

/** What goes with each change by the cookie, so that no other site can make it. */
export const csrf = new Store<string | null>(null);
/** Whether the last request got an answer. */
export const reachable = new Store(true);

/** Whether the service answers now, asked without anybody's rights. */
export async function isThere(): Promise<boolean> {
  return fetch('/healthz', { signal: AbortSignal.timeout(10_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Set when a session ended while somebody worked. */
export const sessionEnded = new Store(false);

/** Random, and also where pages come without TLS. */
export function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

/** What stands in the record: a file may be too long to be read for it. */
async function bodyOf(request: Request, contentType: string | null): Promise<string | null> {
  if (contentType !== null && !/json|plain/.test(contentType)) return calls.A_FILE;
  return (await request.clone().text()) || null;
}

/** A request that stands in the record of calls, with what came of it. */
export async function recorded(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const contentType = request.headers.get('content-type');
  const body = request.method === 'GET' ? null : await bodyOf(request, contentType);
  const id = calls.begin(request.method, pathname + search, body, contentType);
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    reachable.set(false);
    throw new UnreachableError(error);
  }
  reachable.set(true);
  calls.end(id, response.status, response.headers.get('x-request-id'));
  // Of a list that may have no end nothing is kept.
  if (/^application\/(problem\+)?json\b/.test(response.headers.get('content-type') ?? '')) {
    // Nobody waits for the record.
    void response
      .clone()
      .text()
      .then((text) => calls.answered(id, text))
      .catch(() => undefined);
  }
  return response;
}

/** What fetch says when nothing answers is told apart from what the service says. */
export async function send(request: Request): Promise<Response> {
  if (request.method !== 'GET') {
    const token = csrf.get();
    if (token) request.headers.set('x-csrf-token', token);
    if (['POST', 'PATCH'].includes(request.method) && !request.headers.has('idempotency-key')) {
      request.headers.set('idempotency-key', freshKey());
    }
  }
  const response = await recorded(request);
  if (response.ok || response.status === 304) return response;
  const { pathname } = new URL(request.url);
  const document: unknown = await response.json().catch(() => null);
  const problem = new ProblemError(response, document);
  // Before somebody is known, a 401 is no end of a session.
  if (problem.status === 401 && csrf.get() !== null && !pathname.startsWith('/api/v1/auth/'))
    sessionEnded.set(true);
  throw problem;
}

const middleware: Middleware = { onRequest: ({ request }) => send(request) };

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? 'http://localhost' });
api.use(middleware);

interface Answer<T> {
  data?: T;
  response: Response;
}

/** The body of an answer; whatever is no success was thrown before. */
export async function ok<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await call).data as T;
}

/** A version of something, with the tag that a change of it has to name. */
export interface Tagged<T> {
  value: T;
  etag: string;
}

/** The body with the version that a change of it has to name. */
export async function tagged<T>(call: Promise<Answer<T>>): Promise<Tagged<T>> {
  const { data, response } = await call;
  return { value: data as T, etag: response.headers.get('etag') ?? '' };
}
