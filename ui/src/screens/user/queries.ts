import { queryOptions } from '@tanstack/react-query';
import { api, ok, tagged, type Schemas, type Tagged } from '../../api/client';
import { ProblemError } from '../../api/problem';

/** The address of a user called `me` tells who is signed in, so that one is looked for in the list. */
async function userCalledMe(): Promise<Tagged<Schemas['User']>> {
  const page = await ok(api.GET('/api/v1/users', { params: { query: { query: 'me', limit: 1000 } } }));
  const value = page.items.find((one) => one.user_id === 'me');
  if (!value) throw new ProblemError(new Response(null, { status: 404 }), null);
  return { value, etag: '*' };
}

export const userQuery = (id: string) =>
  queryOptions<Tagged<Schemas['User']>>({
    queryKey: ['users', 'one', id],
    queryFn: () =>
      id === 'me'
        ? userCalledMe()
        : tagged(api.GET('/api/v1/users/{user_id}', { params: { path: { user_id: id } } })),
  });

const ROWS_MAX = 5000;

export interface WholeHistory {
  /** By instant. */
  rows: Schemas['HistoryRow'][];
  isWhole: boolean;
}

/** The newest rows, as many as can be drawn. */
async function wholeHistory(id: string): Promise<WholeHistory> {
  const rows: Schemas['HistoryRow'][] = [];
  let cursor: string | null | undefined;
  do {
    const query = { user_id: id, sort: '-timestamp', limit: 1000, ...(cursor ? { cursor } : {}) };
    const page = await ok(api.GET('/api/v1/history', { params: { query } }));
    rows.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && rows.length < ROWS_MAX);
  return { rows: rows.reverse(), isWhole: !cursor };
}

/** What happened and what is so now, for the drawing of both. */
export const timelineQuery = (id: string) =>
  queryOptions({
    queryKey: ['history', 'user', id, 'timeline'],
    queryFn: async () => {
      const [history, memberships] = await Promise.all([
        wholeHistory(id),
        ok(api.GET('/api/v1/users/{user_id}/memberships', { params: { path: { user_id: id } } })),
      ]);
      return { ...history, memberships: memberships.items };
    },
  });
