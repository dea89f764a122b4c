import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, ok, tagged } from '../api/client';

/** What more than one screen asks for. The first word of a key says what it is about, so that changes find it. */

export const segmentQuery = (slug: string) =>
  queryOptions({
    queryKey: ['segments', 'one', slug],
    queryFn: () => tagged(api.GET('/api/v1/segments/{slug}', { params: { path: { slug } } })),
  });

/** How many of all users a segment has. */
export const reachQuery = (slug: string) =>
  queryOptions({
    queryKey: ['segments', 'reach', slug],
    queryFn: () => ok(api.GET('/api/v1/segments/{slug}/distribute', { params: { path: { slug } } })),
  });

/** When the first change of a segment was; absent when nobody ever entered. */
export const firstChangeQuery = (slug: string) =>
  queryOptions({
    queryKey: ['history', 'first', slug],
    async queryFn() {
      const query = { segment: slug, sort: 'timestamp', limit: 1 } as const;
      const { items } = await ok(api.GET('/api/v1/history', { params: { query } }));
      return items[0]?.timestamp ?? null;
    },
  });

/** By which identities of providers an account signs in. */
export const identitiesQuery = (id: string) =>
  queryOptions({
    queryKey: ['accounts', 'identities', id],
    queryFn: () => ok(api.GET('/api/v1/accounts/{id}/identities', { params: { path: { id } } })),
  });

/** Slugs that begin as somebody typed. */
export const segmentChoices = (query: string) =>
  queryOptions({
    queryKey: ['segments', 'choices', query],
    queryFn: () =>
      ok(
        api.GET('/api/v1/segments/stats', { params: { query: { limit: 20, ...(query ? { query } : {}) } } }),
      ),
    placeholderData: (before) => before,
  });

export const userChoices = (query: string) =>
  queryOptions({
    queryKey: ['users', 'choices', query],
    queryFn: () =>
      ok(api.GET('/api/v1/users', { params: { query: { limit: 20, ...(query ? { query } : {}) } } })),
    placeholderData: (before) => before,
  });

/** Who may vouch for people here; asked also before somebody is known. */
export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: () => ok(api.GET('/api/v1/auth/providers')),
  staleTime: 300_000,
});

/** What people call a provider. */
export function useProviderTitle(): (provider: string) => string {
  const providers = useQuery(providersQuery).data?.items;
  return (provider) => providers?.find((one) => one.provider === provider)?.title ?? provider;
}
