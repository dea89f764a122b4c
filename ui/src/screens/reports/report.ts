import { api, ok, type Schemas } from '../../api/client';
import { instantOf } from '../../parts/DeadlineField';
import type * as searches from '../../searches';

export type Search = ReturnType<typeof searches.reports>;

export const REPORTS = ['history', 'members', 'users', 'stats', 'algebra'] as const;
export const FORMATS = ['csv', 'ndjson', 'xlsx'] as const;
/** Seven days are the longest that the service lets a link hold. */
export const TTLS = ['PT1H', 'P1D', 'P2D', 'P7D'] as const;

/** What somebody fills in. Instants are local times as the browser's fields have them. */
export interface Draft {
  report: (typeof REPORTS)[number];
  segment: string;
  user: string;
  month: string;
  from: string;
  to: string;
  asOf: string;
  query: string;
  kind: Schemas['Kind'] | null;
  expr: string;
  format: Schemas['Format'];
  gzip: boolean;
  ttl: (typeof TTLS)[number];
}

export function draftOf({ new: report, segment }: Search): Draft {
  return {
    report: REPORTS.find((one) => one === report) ?? 'history',
    segment: segment ?? '',
    user: '',
    month: '',
    from: '',
    to: '',
    asOf: '',
    query: '',
    kind: null,
    expr: '',
    format: 'csv',
    gzip: false,
    ttl: 'P1D',
  };
}

/** What the draft's own report needs, and nothing of the others. */
export function fieldsOf(draft: Draft) {
  const shared = { format: draft.format, gzip: draft.gzip, link_ttl: draft.ttl };
  const word = (value: string) => value.trim() || null;
  const as_of = instantOf(draft.asOf) ?? null;
  const isMonth = draft.month !== '';
  return {
    history: {
      ...shared,
      segment: word(draft.segment),
      user_id: word(draft.user),
      month: isMonth ? draft.month : null,
      from: isMonth ? null : (instantOf(draft.from) ?? null),
      to: isMonth ? null : (instantOf(draft.to) ?? null),
    },
    members: { ...shared, segment: draft.segment, as_of, query: word(draft.query) },
    users: { ...shared, query: word(draft.query) },
    stats: { ...shared, query: word(draft.query), kind: draft.kind },
    algebra: { ...shared, expr: draft.expr.trim(), as_of },
  };
}

export function isReady(draft: Draft): boolean {
  if (draft.report === 'members') return draft.segment !== '';
  if (draft.report === 'algebra') return draft.expr.trim() !== '';
  return true;
}

export type Made = Schemas['Report'] | Schemas['Job'];

/** A link at once, or the job that writes the file. */
export function make(draft: Draft): Promise<Made> {
  const { history, members, users, stats, algebra } = fieldsOf(draft);
  switch (draft.report) {
    case 'history':
      return ok<Made>(api.POST('/api/v1/reports/history', { body: history }));
    case 'members':
      return ok<Made>(api.POST('/api/v1/reports/members', { body: members }));
    case 'users':
      return ok<Made>(api.POST('/api/v1/reports/users', { body: users }));
    case 'stats':
      return ok<Made>(api.POST('/api/v1/reports/stats', { body: stats }));
    case 'algebra':
      return ok<Made>(api.POST('/api/v1/reports/algebra', { body: algebra }));
  }
}

/** The file's name, which is in its link and tells the format. */
export function fileOf(link: string): { name: string; format: string } {
  const name = decodeURIComponent(new URL(link, 'http://localhost').pathname.split('/').at(-1) ?? '');
  const [, format = ''] = /\.((?:csv|ndjson|xlsx)(?:\.gz)?)$/.exec(name) ?? [];
  return { name, format };
}
