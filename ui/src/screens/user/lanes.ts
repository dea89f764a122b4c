import type { Schemas } from '../../api/client';

type Row = Pick<
  Schemas['HistoryRow'],
  'segment' | 'operation' | 'timestamp' | 'expires_at' | 'source' | 'actor' | 'reason'
>;
type Membership = Pick<Schemas['UserMembership'], 'slug' | 'since' | 'expires_at'>;

/** One time in a segment. */
export interface Interval {
  /** Null when it began before what history tells. */
  from: string | null;
  /** Null while it goes on. */
  to: string | null;
  deadline: string | null;
  end: 'open' | 'removed' | 'expired' | 'unclear';
}

/** A segment and the times in it, the earliest first. */
export interface Lane {
  segment: string;
  /** Slugs that it had before. */
  formerly: string[];
  intervals: Interval[];
}

const DAY = 86_400_000;
const at = (iso: string) => Date.parse(iso);

function isDue(deadline: string | null, now: number): deadline is string {
  return deadline !== null && at(deadline) <= now;
}

/** The times by the slugs of the rows; the last of a slug may be open. */
function replay(rows: Row[]): { lanes: Map<string, Interval[]>; last: Map<string, string> } {
  const lanes = new Map<string, Interval[]>();
  const last = new Map<string, string>();
  for (const row of rows) {
    const intervals = lanes.get(row.segment) ?? [];
    lanes.set(row.segment, intervals);
    last.set(row.segment, row.timestamp);
    let open = intervals.find(({ end }) => end === 'open');
    // Its deadline came, and nobody wrote that down before the next row.
    if (open && row.operation === 'add' && isDue(open.deadline, at(row.timestamp))) {
      Object.assign(open, { to: open.deadline, end: 'expired' });
      open = undefined;
    }
    if (!open) {
      const from = row.operation === 'add' ? row.timestamp : null;
      open = { from, to: null, deadline: null, end: 'open' };
      intervals.push(open);
    }
    if (row.operation === 'remove') {
      const end = row.source === 'expiry' ? 'expired' : 'removed';
      const deadline = end === 'expired' ? row.timestamp : open.deadline;
      Object.assign(open, { to: row.timestamp, end, deadline });
    } else {
      open.deadline = row.expires_at;
    }
  }
  return { lanes, last };
}

/** Of an open time that nobody is in now: its deadline came, or what became of it is not told under this slug. */
function close(open: Interval, lastRow: string, now: number): void {
  const isOver = isDue(open.deadline, now);
  Object.assign(open, isOver ? { to: open.deadline, end: 'expired' } : { to: lastRow, end: 'unclear' });
}

/**
 * What history (by instant) and the live memberships tell, as times in segments. A row has the slug of its time: what began
 * under another slug is known again by its beginning.
 */
export function lanesOf(rows: Row[], memberships: Membership[], now: number): Lane[] {
  const { lanes, last } = replay(rows);
  const formerly = new Map<string, string[]>();
  const openOf = (slug: string) => lanes.get(slug)?.find(({ end }) => end === 'open');
  const live = new Map(
    memberships.filter(({ expires_at }) => !isDue(expires_at, now)).map((one) => [one.slug, one]),
  );
  for (const { slug, since, expires_at } of live.values()) {
    if (openOf(slug)) continue;
    const before = [...lanes.keys()].find(
      (other) =>
        !live.has(other) && openOf(other)?.from !== null && isSameInstant(openOf(other)?.from, since),
    );
    const earlier = before === undefined ? [] : (lanes.get(before) ?? []);
    if (before !== undefined) {
      lanes.delete(before);
      formerly.set(slug, [...(formerly.get(slug) ?? []), before]);
    }
    const times = [...earlier, ...(lanes.get(slug) ?? [])];
    const open = earlier.find(({ end }) => end === 'open');
    if (open) open.deadline = expires_at;
    else times.push({ from: since, to: null, deadline: expires_at, end: 'open' });
    lanes.set(slug, times);
  }
  for (const [slug, intervals] of lanes) {
    const open = intervals.find(({ end }) => end === 'open');
    if (open && !live.has(slug)) close(open, last.get(slug) ?? '', now);
  }
  return [...lanes]
    .map(([segment, intervals]) => ({
      segment,
      formerly: formerly.get(segment) ?? [],
      intervals: intervals.sort((a, b) => startOf(a) - startOf(b)),
    }))
    .sort((a, b) => a.segment.localeCompare(b.segment));
}

function isSameInstant(first: string | null | undefined, second: string): boolean {
  return first != null && at(first) === at(second);
}

function startOf({ from }: Interval): number {
  return from === null ? -Infinity : at(from);
}

/** The two ends of the axis: all that happened, and deadlines unless they lie too far ahead to see anything else. */
export function rangeOf(lanes: Lane[], now: number): { start: number; end: number } {
  const all = lanes.flatMap(({ intervals }) => intervals);
  const past = all.flatMap(({ from, to }) => [from, to].flatMap((one) => (one === null ? [] : [at(one)])));
  const first = Math.min(now - DAY, ...past);
  // What began before history is seen to do so.
  const start = all.some(({ from }) => from === null) ? first - (now - first) * 0.05 : first;
  const deadlines = all.flatMap(({ end, deadline }) =>
    end === 'open' && deadline !== null ? [at(deadline)] : [],
  );
  const most = now + Math.max(now - start, 30 * DAY);
  const ahead = Math.min(most, Math.max(now, ...deadlines));
  return { start, end: ahead + (ahead - start) * 0.02 };
}

/** Beginnings of days, months or years in local time, a few of them. */
export function ticksOf(start: number, end: number, most = 6): number[] {
  const span = (end - start) / DAY;
  const isByDay = span <= most * 20;
  const steps = isByDay ? [1, 2, 5, 10, 20] : [1, 2, 3, 6, 12, 24, 60, 120, 240];
  const unit = isByDay ? 1 : 30.44;
  const step = steps.find((one) => span / (one * unit) <= most) ?? 600;
  const first = new Date(start);
  const [year, month, day] = [first.getFullYear(), first.getMonth(), first.getDate()];
  const tick = (place: number) =>
    isByDay
      ? new Date(year, month, day + place * step).getTime()
      : new Date(year, Math.floor(month / step) * step + place * step).getTime();
  return Array.from({ length: most + 3 }, (_, place) => tick(place)).filter(
    (one) => one >= start && one <= end,
  );
}

/** Where an instant lies on the axis, of 0..100 and never outside. */
export function placeOf(instant: number, { start, end }: { start: number; end: number }): number {
  return Math.min(100, Math.max(0, ((instant - start) / (end - start)) * 100));
}
