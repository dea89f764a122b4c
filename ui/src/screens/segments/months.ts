import { useQueries } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import type { PageOf } from '../../parts/DataTable';

type Page = PageOf<Schemas['SegmentStats']>;

/** Asked anew when the list says that a size is another, and never about a segment that the list no longer has. */
const sizesQuery = (rows: Page['items'], isOn: boolean) => ({
  queryKey: ['sizes', 'months', rows.map(({ slug, user_count }) => [slug, user_count])],
  queryFn: () =>
    ok(api.GET('/api/v1/segments/sizes', { params: { query: { segment: rows.map(({ slug }) => slug) } } })),
  staleTime: 300_000,
  enabled: isOn && rows.length > 0,
  placeholderData: (before: Schemas['SizesOfEach'] | undefined) => before,
});

/** By slug, one after the other. */
export function sizesBySlug(
  answers: { data?: Schemas['SizesOfEach'] | undefined }[],
): ReadonlyMap<string, number[]> {
  const items = answers.flatMap(({ data }) => data?.items ?? []);
  return new Map(items.map(({ segment, points }) => [segment, points.map((point) => point.user_count)]));
}

/** Sizes of a month: one question for each page of the list. */
export function useMonths(pages: Page[] | undefined, isOn: boolean): ReadonlyMap<string, number[]> {
  return useQueries({
    queries: (pages ?? []).map(({ items }) => sizesQuery(items, isOn)),
    combine: sizesBySlug,
  });
}
