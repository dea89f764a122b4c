import type { Schemas } from '../../api/client';

const HOUR = 3_600_000;

export const SPANS = [7, 30, 90] as const;
export const DAYS_AHEAD = 14;

export function spanOf(days: number | undefined): number {
  return SPANS.find((span) => span === days) ?? 30;
}

/** Local midnight some days from today. */
export function midnight(now: Date, daysOff = 0): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + daysOff);
}

/** Where so many days begin, today's among them. */
export function beginning(days: number, now: Date): string {
  return midnight(now, 1 - days).toISOString();
}

export interface Growth {
  /** An instant within the day. */
  at: string;
  added: number;
  /** Not above 0. */
  removed: number;
  extended: number;
  net: number;
}

/** What each day brought. A point counts what came after the one before, so the first one only begins. */
export function growth(points: Schemas['CountedPoint'][]): Growth[] {
  return points.slice(1).map((point, place) => {
    const began = Date.parse(points[place]?.at ?? point.at);
    return {
      // Days of summer time begin an hour off midnight; their middle still lies in the day.
      at: new Date(Math.min(began + 12 * HOUR, Date.parse(point.at))).toISOString(),
      added: point.added,
      // Less, not minus: there is no -0 to be written.
      removed: 0 - point.removed,
      extended: point.extended,
      net: point.added - point.removed,
    };
  });
}

export interface DayCount {
  at: string;
  count: number;
}

/** How many of the instants lie in each local day from today on; later ones are left out. */
export function perDay(instants: string[], days: number, now: Date): DayCount[] {
  const counts = new Map<number, number>();
  for (const instant of instants) {
    const day = midnight(new Date(instant)).getTime();
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  return Array.from({ length: days }, (_, place) => {
    const day = midnight(now, place);
    return { at: day.toISOString(), count: counts.get(day.getTime()) ?? 0 };
  });
}

/** Room for so many lying bars. */
export function heightOf(bars: number): number {
  return Math.max(140, bars * 26 + 60);
}
