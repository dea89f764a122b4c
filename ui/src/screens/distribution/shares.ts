import type { Schemas } from '../../api/client';
import type * as searches from '../../searches';

export type Search = ReturnType<typeof searches.distribution>;

/** How many users are only in the first, in both, and only in the second. */
export function split(overlap: Schemas['Overlap'], first: string, second: string) {
  const count = (...slugs: string[]) =>
    overlap.intersections.find(
      ({ segments }) => segments.length === slugs.length && slugs.every((slug) => segments.includes(slug)),
    )?.user_count ?? 0;
  return {
    first: count(first),
    both: count(first, second),
    second: count(second),
    likeness: overlap.jaccard[0]?.[1] ?? 0,
  };
}
