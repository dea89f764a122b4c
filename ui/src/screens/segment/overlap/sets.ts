import type { Schemas } from '../../../api/client';

export type Intersection = Schemas['Intersection'];

/** How many segments the service compares at once. */
export const SEGMENTS_MAX = 8;

/** This segment first, then the others of the address: each once, and no more than are compared. */
export function comparedOf(slug: string, others: string[] | undefined): string[] {
  return [...new Set([slug, ...(others ?? [])])].slice(0, SEGMENTS_MAX);
}

/** What is kept in the address; this segment is in it anyway. */
export function othersOf(slug: string, chosen: string[]): string[] | undefined {
  const others = comparedOf(slug, chosen).slice(1);
  return others.length > 0 ? others : undefined;
}

/** Who is in exactly these of the segments, as the service reads it: `(A & B) - (C | D)`. */
export function expressionOf(inside: string[], all: string[]): string {
  const outside = all.filter((slug) => !inside.includes(slug));
  const joined = (slugs: string[], sign: string) =>
    slugs.length > 1 ? `(${slugs.join(` ${sign} `)})` : slugs.join('');
  if (outside.length === 0) return inside.join(' & ');
  return `${joined(inside, '&')} - ${joined(outside, '|')}`;
}

/** The largest first; of equals those of fewer segments, then as the segments stand. */
export function sortedBySize(intersections: Intersection[], all: string[]): Intersection[] {
  const places = ({ segments }: Intersection) =>
    all.map((slug) => (segments.includes(slug) ? '0' : '1')).join('');
  return [...intersections].sort(
    (a, b) =>
      b.user_count - a.user_count ||
      a.segments.length - b.segments.length ||
      places(a).localeCompare(places(b)),
  );
}

/** A row for each intersection: 1 under each segment that it is of, then how many users. */
export function rowsOf(intersections: Intersection[], all: string[], users: string): (string | number)[][] {
  return [
    [...all, users],
    ...intersections.map(({ segments, user_count }) => [
      ...all.map((slug) => (segments.includes(slug) ? 1 : 0)),
      user_count,
    ]),
  ];
}

export function totalOf(intersections: Intersection[]): number {
  return intersections.reduce((sum, { user_count }) => sum + user_count, 0);
}

/** The first and last row with a dot, between which the column's line goes. */
export function spanOf(segments: string[], all: string[]): [number, number] | null {
  const places = all.flatMap((slug, place) => (segments.includes(slug) ? [place] : []));
  const [first, last] = [places[0], places.at(-1)];
  return first === undefined || last === undefined ? null : [first, last];
}
