import { recorded } from '../../api/client';
import { withoutSecrets } from '../../api/calls';
import type { paths } from '../../api/schema';

/** What may be asked for, to begin with. */
export const SUGGESTIONS: (keyof paths)[] = [
  '/api/v1/summary',
  '/api/v1/segments',
  '/api/v1/segments/stats',
  '/api/v1/segments/sizes',
  '/api/v1/segments/overlaps',
  '/api/v1/segments/{slug}',
  '/api/v1/segments/{slug}/size',
  '/api/v1/segments/{slug}/similar',
  '/api/v1/segments/{slug}/distribute',
  '/api/v1/segments/{slug}/users',
  '/api/v1/segments/{slug}/users/diff',
  '/api/v1/users',
  '/api/v1/users/me',
  '/api/v1/users/{user_id}',
  '/api/v1/users/{user_id}/segments',
  '/api/v1/users/{user_id}/segments/{slug}',
  '/api/v1/users/{user_id}/segments/{slug}/why',
  '/api/v1/users/{user_id}/memberships',
  '/api/v1/memberships',
  '/api/v1/memberships/sources',
  '/api/v1/history',
  '/api/v1/history/counts',
  '/api/v1/jobs',
  '/api/v1/jobs/{id}',
  '/api/v1/accounts',
  '/api/v1/accounts/me',
  '/api/v1/tokens',
  '/api/v1/audit',
  '/api/v1/settings/sign_in',
  '/healthz',
  '/readyz',
];

/** Answers have headers for machines too; these tell a person something. */
const WORTH_SEEING = [
  'ETag',
  'X-Request-Id',
  'Strata-Position',
  'Content-Type',
  'Content-Length',
  'Retry-After',
  'Allow',
];

export type PathFault = 'notHere' | 'hole';

/** Only of this service, and with nothing left to fill in. */
export function pathFault(path: string): PathFault | null {
  if (!/^\/(api\/|healthz|readyz)/.test(path) || /\\|#/.test(path)) return 'notHere';
  return /[{}]/.test(path) ? 'hole' : null;
}

/** JSON with a line for each value; what is none, or cut off, as it came. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export interface Tried {
  status: number;
  statusText: string;
  ms: number;
  headers: [name: string, value: string][];
  /** Null for what is no text. */
  body: string | null;
  isCut: boolean;
}

/** More than that makes a page slow, and nobody reads it. */
const SHOWN_MAX = 200_000;

/** The beginning of a body, so that a stream or an export of any length does no harm. */
export async function beginningOf(response: Response, most = SHOWN_MAX) {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  if (!reader) return { text, isCut: false };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), isCut: false };
    text += decoder.decode(value, { stream: true });
    if (text.length > most) {
      void reader.cancel();
      return { text: text.slice(0, most), isCut: true };
    }
  }
}

export async function tryOut(path: string, signal: AbortSignal): Promise<Tried> {
  const began = performance.now();
  const response = await recorded(new Request(new URL(path, globalThis.location.origin), { signal }));
  const headers = WORTH_SEEING.flatMap<[string, string]>((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const isText = /json|text|csv/.test(response.headers.get('content-type') ?? 'text');
  if (!isText) void response.body?.cancel();
  const { text, isCut } = isText ? await beginningOf(response) : { text: null, isCut: false };
  return {
    status: response.status,
    statusText: response.statusText,
    ms: Math.round(performance.now() - began),
    headers,
    body: text === null ? null : pretty(withoutSecrets(text)),
    isCut,
  };
}
