import { useQueries } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import type { PageOf } from '../../parts/DataTable';

type Page = PageOf<Schemas['SegmentStats']>;

const sizesQuery = (slugs: string[], isOn: boolean) => ({
  queryKey: ['segments', 'months', slugs],
  queryFn: () => ok(api.GET('/api/v1/segments/sizes', { params: { query: { segment: slugs } } })),
  staleTime: 300_000,
  enabled: isOn && slugs.length > 0,
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
    queries: (pages ?? []).map(({ items }) =>
      sizesQuery(
        items.map(({ slug }) => slug),
        isOn,
      ),
    ),
    combine: sizesBySlug,
  });
}
