import { queryOptions } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import { isProblem } from '../../api/problem';
import { isLive } from '../../parts/jobs/job';
import { pace } from './day';

export type Summary = Schemas['Summary'];

export const summaryQuery = (since: string) =>
  queryOptions({
    queryKey: ['summary', since],
    queryFn: () => ok(api.GET('/api/v1/summary', { params: { query: { since } } })),
    refetchInterval: ({ state }) =>
      pace((state.data?.jobs.queued ?? 0) + (state.data?.jobs.running ?? 0) > 0),
    placeholderData: (before) => before,
  });

export const newestChanges = queryOptions({
  queryKey: ['history', 'newest'],
  queryFn: () => ok(api.GET('/api/v1/history', { params: { query: { sort: '-timestamp', limit: 8 } } })),
  refetchInterval: pace(false),
});

export const newestJobs = queryOptions({
  queryKey: ['jobs', 'newest'],
  queryFn: () => ok(api.GET('/api/v1/jobs', { params: { query: { limit: 5 } } })),
  refetchInterval: ({ state }) => pace(state.data?.items.some(isLive) ?? false),
});

export const soonestEnds = queryOptions({
  queryKey: ['memberships', 'soonest'],
  queryFn: () => ok(api.GET('/api/v1/memberships', { params: { query: { limit: 8 } } })),
  refetchInterval: pace(false),
});

/** Why the service is not ready, in its own words; null when it is. To be not ready is an answer, no error. */
export const readyQuery = queryOptions({
  queryKey: ['readyz'],
  async queryFn(): Promise<string | null> {
    try {
      await ok(api.GET('/readyz'));
      return null;
    } catch (error) {
      if (isProblem(error, 503)) return error.detail || error.title;
      throw error;
    }
  },
  refetchInterval: pace(false),
});
