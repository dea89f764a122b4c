import type { Schemas } from '../../api/client';
import type * as searches from '../../searches';

export type Search = ReturnType<typeof searches.distribution>;

/** A share as the service takes it: 0 to 100 with at most 4 decimals; null for what is none. */
export function shareOf(typed: string | number): number | null {
  if (typeof typed === 'string' && typed.trim() === '') return null;
  const value = Number(typed);
  if (!Number.isFinite(value) || value < 0 || value > 100) return null;
  return Math.round(value * 10_000) / 10_000;
}

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
