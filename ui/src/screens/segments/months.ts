import { useQueries } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import type { PageOf } from '../../parts/DataTable';

type Page = PageOf<Schemas['SegmentStats']>;

/** As many as the service tells the sizes of at once. */
const AT_ONCE = 50;

/** Asked anew when the list says that a size is another, and never about a segment that the list no longer has. */
const sizesQuery = (rows: Page['items'], isOn: boolean) => ({
  queryKey: ['sizes', 'months', rows.map(({ slug, user_count }) => [slug, user_count])],
  queryFn: () =>
    ok(api.GET('/api/v1/segments/sizes', { params: { query: { segment: rows.map(({ slug }) => slug) } } })),
  staleTime: 300_000,
  enabled: isOn,
  placeholderData: (before: Schemas['SizesOfEach'] | undefined) => before,
});

/** By slug, one after the other. */
export function sizesBySlug(
  answers: { data?: Schemas['SizesOfEach'] | undefined }[],
): ReadonlyMap<string, number[]> {
  const items = answers.flatMap(({ data }) => data?.items ?? []);
  return new Map(items.map(({ segment, points }) => [segment, points.map((point) => point.user_count)]));
}

/** A page's rows, by as many as one question has. */
export function asked<T>(pages: { items: T[] }[] | undefined): T[][] {
  return (pages ?? []).flatMap(({ items }) =>
    Array.from({ length: Math.ceil(items.length / AT_ONCE) }, (_, place) =>
      items.slice(place * AT_ONCE, (place + 1) * AT_ONCE),
    ),
  );
}

/** Sizes of a month, of all that the list has so far. */
export function useMonths(pages: Page[] | undefined, isOn: boolean): ReadonlyMap<string, number[]> {
  return useQueries({
    queries: asked(pages).map((rows) => sizesQuery(rows, isOn)),
    combine: sizesBySlug,
  });
}
