import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';

export const reachQuery = (slug: string) =>
  queryOptions({
    queryKey: ['segments', 'reach', slug],
    queryFn: () => ok(api.GET('/api/v1/segments/{slug}/distribute', { params: { path: { slug } } })),
  });

export function distribute(slug: string, percent: number, isDry: boolean) {
  return ok(
    api.POST('/api/v1/segments/{slug}/distribute', {
      params: { path: { slug }, query: isDry ? { dry_run: true } : {} },
      body: { percent },
    }),
  );
}

export function moveUsers(from: string, to: string, isDry: boolean) {
  return ok(
    api.POST('/api/v1/segments/move_users', {
      params: { query: isDry ? { dry_run: true } : {} },
      body: { from_segment: from, to_segment: to },
    }),
  );
}

/** What a rehearsal says is true only now. */
export const REHEARSED = { staleTime: 0, gcTime: 0 };

export const TOUCHED = ['segments', 'users', 'memberships', 'history', 'summary'];
