import type { Search } from './address';
import { isMonth } from '../../parts/month';

const DAY = 86_400_000;

/** About so many points make a curve. */
const POINTS = 120;

interface Period {
  from: string;
  to: string;
  step: string;
}

/** The last days, day by day. */
export function daysBefore(days: number, now: Date): Period {
  return { from: new Date(now.getTime() - days * DAY).toISOString(), to: now.toISOString(), step: 'P1D' };
}

/** From before the first entry until now, in whole days as long as the period asks for. */
export function allTime(first: string, now: Date): Period {
  const days = Math.max(1, Math.ceil((now.getTime() - Date.parse(first)) / DAY));
  const step = Math.ceil(days / POINTS);
  return { ...daysBefore(Math.ceil(days / step) * step, now), step: `P${step}D` };
}

export interface HistoryFilters {
  user_id?: string;
  month?: string;
  from?: string;
  to?: string;
}

/** What the service is asked for; it takes a month or two ends, not both. */
export function filtersOf({ user_id, month, from, to }: Search): HistoryFilters {
  const user = user_id ? { user_id } : {};
  if (month) return { ...user, month };
  return { ...user, ...(from ? { from } : {}), ...(to ? { to } : {}) };
}

/** The two ends of what is looked at; none without a beginning. Without an end it lasts until now. */
export function endsOf({ month, from, to }: HistoryFilters): { from: string; to?: string } | null {
  if (month && isMonth(month)) {
    const [year = 0, number = 0] = month.split('-').map(Number);
    return {
      from: new Date(Date.UTC(year, number - 1)).toISOString(),
      // The end of a month that goes on lies ahead, where nothing is known.
      ...(Date.UTC(year, number) > Date.now() ? {} : { to: new Date(Date.UTC(year, number)).toISOString() }),
    };
  }
  return from ? { from, ...(to ? { to } : {}) } : null;
}

export function historyFile(form: 'csv' | 'xlsx', slug: string, filters: HistoryFilters): string {
  return `/api/v1/history.${form}?${new URLSearchParams({ segment: slug, ...filters }).toString()}`;
}

/** Whether the end lies before the beginning. */
export function isTurned({ from, to }: { from: string; to?: string }): boolean {
  return to !== undefined && Date.parse(to) <= Date.parse(from);
}
