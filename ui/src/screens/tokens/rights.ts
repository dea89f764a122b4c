import { curl } from '../../api/calls';
import type { Schemas } from '../../api/client';
import { instantOf } from '../../parts/DeadlineField';

export type Token = Schemas['Token'];
export type Scope = Schemas['Scope'];

export const SCOPES = ['read', 'assign', 'manage', 'persons'] as const satisfies readonly Scope[];
export const LIVES = ['P30D', 'P90D', 'P365D', 'until', 'always'] as const;
export type Life = (typeof LIVES)[number];

const SOON = 7 * 86_400_000;

export type TokenState = 'good' | 'ending' | 'expired' | 'revoked';

export function stateOf({ revoked_at, expires_at }: Pick<Token, 'revoked_at' | 'expires_at'>, now: number) {
  const left = expires_at === null ? Number.POSITIVE_INFINITY : new Date(expires_at).getTime() - now;
  const state: TokenState = revoked_at ? 'revoked' : left <= 0 ? 'expired' : left < SOON ? 'ending' : 'good';
  return state;
}

export interface Draft {
  name: string;
  scopes: Scope[];
  prefix: string;
  life: Life;
  /** A local time of the browser. */
  until: string;
}

const NAME_MAX = 100;

/** Names are never given twice: the next one counts. */
export function successor(name: string): string {
  const [, stem = name, count] = /^(.*?)-(\d{1,6})$/.exec(name) ?? [];
  const ending = `-${count === undefined ? 2 : Number(count) + 1}`;
  return stem.slice(0, NAME_MAX - ending.length) + ending;
}

/** Of a token that takes another's place, or of a new one, which begins with the least. */
export function draftOf(before?: Token): Draft {
  return {
    name: before ? successor(before.name) : '',
    scopes: before ? before.scopes : ['read'],
    prefix: before?.segment_prefix ?? '',
    life: 'P90D',
    until: '',
  };
}

export function isName(text: string): boolean {
  return text.length > 0 && text.length <= NAME_MAX && !/[\s\p{Cc}]/u.test(text);
}

export function isPrefix(text: string): boolean {
  return text === '' || /^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$/.test(text);
}

export function isReady({ name, scopes, prefix, life, until }: Draft): boolean {
  const hasEnd = life !== 'until' || instantOf(until) !== undefined;
  return isName(name.trim()) && scopes.length > 0 && isPrefix(prefix.trim()) && hasEnd;
}

export function bodyOf({ name, scopes, prefix, life, until }: Draft): Schemas['NewToken'] {
  const at = instantOf(until);
  return {
    name: name.trim(),
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    ...(prefix.trim() ? { segment_prefix: prefix.trim() } : {}),
    ...(life === 'until' ? (at ? { expires_at: at } : {}) : life === 'always' ? {} : { ttl: life }),
  };
}

/** A line that works with the token, whatever it may do. */
export function usageOf({ scopes }: Pick<Token, 'scopes'>, origin: string): string {
  const isReader = scopes.includes('read') || scopes.includes('manage');
  const path = isReader ? '/api/v1/segments?limit=10' : '/api/v1/accounts/me';
  return curl({ method: 'GET', path, body: null, contentType: null }, origin);
}
