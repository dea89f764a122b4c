import type { Schemas } from '../../api/client';

export const SPANS = [7, 30, 90] as const;
export const DAYS_AHEAD = 14;

export function spanOf(days: number | undefined): number {
  return SPANS.find((span) => span === days) ?? 30;
}

/** Local midnight some days from today. */
export function midnight(now: Date, daysOff = 0): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + daysOff);
}

/** A stretch of whole local days; today's has no end. */
export interface Stretch {
  from: string;
  to?: string;
}

/** So many local days, today's among them, parted where clocks are changed: a step of 24 hours meets midnights in between alone. */
export function stretches(days: number, now: Date): Stretch[] {
  const begins = [midnight(now, 1 - days)];
  for (let daysOff = 2 - days; daysOff <= 0; daysOff += 1) {
    const [before, day] = [midnight(now, daysOff - 1), midnight(now, daysOff)];
    if (before.getTimezoneOffset() !== day.getTimezoneOffset()) begins.push(day);
  }
  return begins.map((from, place) => {
    const end = begins[place + 1];
    return { from: from.toISOString(), ...(end ? { to: end.toISOString() } : {}) };
  });
}

export interface Growth {
  /** Where the local day begins. */
  at: string;
  added: number;
  /** Not above 0. */
  removed: number;
  extended: number;
  net: number;
}

/** What each day brought, out of the points of each stretch. A point counts what came after the one before. */
export function growth(stretched: Schemas['CountedPoint'][][]): Growth[] {
  const days = new Map<number, Growth>();
  for (const points of stretched) {
    points.slice(1).forEach(({ at, added, removed, extended }, place) => {
      const middle = (Date.parse(points[place]?.at ?? at) + Date.parse(at)) / 2;
      const day = midnight(new Date(middle));
      // A day in which clocks are put back is longer than a step.
      const sum = days.get(day.getTime()) ?? {
        at: day.toISOString(),
        added: 0,
        removed: 0,
        extended: 0,
        net: 0,
      };
      days.set(day.getTime(), {
        at: sum.at,
        added: sum.added + added,
        // Less, not minus: there is no -0 to be written.
        removed: sum.removed - removed,
        extended: sum.extended + extended,
        net: sum.net + added - removed,
      });
    });
  }
  return [...days.values()];
}

/** What came by each source in all stretches. */
export function bySource(stretched: Schemas['CountedSource'][][]): Schemas['CountedSource'][] {
  const sums = new Map<string, Schemas['CountedSource']>();
  for (const one of stretched.flat()) {
    const sum = sums.get(one.source);
    sums.set(one.source, {
      source: one.source,
      added: one.added + (sum?.added ?? 0),
      removed: one.removed + (sum?.removed ?? 0),
      extended: one.extended + (sum?.extended ?? 0),
    });
  }
  return [...sums.values()].sort((first, second) => (first.source < second.source ? -1 : 1));
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
