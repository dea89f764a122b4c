import type { Schemas } from '../../api/client';
import type * as searches from '../../searches';

export type Row = Schemas['AuditRow'];
export type Search = ReturnType<typeof searches.audit>;

export const ACTIONS = [
  'access.refused',
  'account.changed',
  'account.created',
  'account.deleted',
  'account.disabled',
  'account.enabled',
  'account.identity_linked',
  'account.identity_unlinked',
  'account.link_made',
  'account.password_changed',
  'data.exported',
  'data.imported',
  'history.forgotten',
  'keys.rotated',
  'segment.changed',
  'segment.copied',
  'segment.created',
  'segment.deleted',
  'segment.distributed',
  'segment.moved',
  'segment.renamed',
  'session.begun',
  'session.ended',
  'session.refresh_reused',
  'session.refused',
  'settings.changed',
  'token.created',
  'token.revoked',
  'user.erased',
] as const;
export type Action = (typeof ACTIONS)[number];

type Underlined<T extends string> = T extends `${infer A}.${infer B}` ? `${A}_${B}` : T;

/** As a key of the messages, where a dot means something else. */
export function keyOf(action: Action): Underlined<Action> {
  return action.replace('.', '_') as Underlined<Action>;
}

/** The filters as the service takes them: a month, or an instant from and to. */
export function filtersOf({ actor, action, subject, month, from, to }: Search): Record<string, string> {
  const given =
    month === undefined ? { actor, action, subject, from, to } : { actor, action, subject, month };
  return Object.fromEntries(
    Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** A row's detail as names and values; what lies within is named by its way: `limits.rate`. */
export function readable(
  detail: unknown,
  words: { yes: string; no: string; none: string },
  way = '',
): [string, string][] {
  if (detail === null || detail === undefined) return [[way, words.none]];
  if (typeof detail === 'boolean') return [[way, detail ? words.yes : words.no]];
  if (Array.isArray(detail) && detail.every((one) => typeof one !== 'object' || one === null)) {
    return [[way, detail.length === 0 ? words.none : detail.map(String).join(', ')]];
  }
  if (typeof detail === 'object') {
    return Object.entries(detail).flatMap(([name, value]) =>
      readable(value, words, way ? `${way}.${name}` : name),
    );
  }
  return [[way, typeof detail === 'string' ? detail : JSON.stringify(detail)]];
}
