const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;

/** What the slider goes over, in milliseconds. */
export interface Range {
  min: number;
  max: number;
  step: number;
}

/** From the first member to now: in whole steps, so that the slider reaches now. */
export function rangeOf(first: string, now: number): Range {
  const from = Math.min(Date.parse(first) || now, now);
  const step = now - from > 180 * DAY ? DAY : now - from > 2 * DAY ? HOUR : MINUTE;
  const steps = Math.max(1, Math.ceil((now - from) / step));
  return { min: now - steps * step, max: now, step };
}

/** The instant of a place on the slider; its end is now, which is no past. */
export function instantAt(value: number, { max }: Range): string | undefined {
  return value >= max ? undefined : new Date(value).toISOString();
}

/** The place of an instant, as far as the slider goes. */
export function placeOf(asOf: string | undefined, { min, max }: Range): number {
  const at = asOf === undefined ? Number.NaN : Date.parse(asOf);
  return Number.isNaN(at) ? max : Math.min(max, Math.max(min, at));
}

/** Which of the members are looked at. */
export interface Filters {
  query?: string;
  as_of?: string;
}

export function usersFile(form: 'csv' | 'ndjson' | 'xlsx', slug: string, filters: Filters): string {
  const search = new URLSearchParams({ ...filters }).toString();
  return `/api/v1/segments/${encodeURIComponent(slug)}/users.${form}${search && `?${search}`}`;
}
