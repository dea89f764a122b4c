import { describe, expect, it } from 'vitest';
import { lanesOf, placeOf, rangeOf, ticksOf } from './lanes';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const day = (number: number) => `2026-11-${String(number).padStart(2, '0')}T00:00:00.000000Z`;
const row = (
  segment: string,
  operation: 'add' | 'remove' | 'extend',
  number: number,
  rest: { expires_at?: string; source?: string } = {},
) => ({
  segment,
  operation,
  timestamp: day(number),
  expires_at: rest.expires_at ?? null,
  source: rest.source ?? 'manual',
  actor: 'anna',
  reason: null,
});
const member = (slug: string, number: number, expires_at: string | null = null) => ({
  slug,
  since: day(number),
  expires_at,
});
const times = (...args: Parameters<typeof lanesOf>) =>
  lanesOf(...args).map(({ segment, intervals }) => [
    segment,
    ...intervals.map(({ from, to, end }) => `${from?.slice(8, 10) ?? '?'}-${to?.slice(8, 10) ?? ''} ${end}`),
  ]);

describe('times in segments', () => {
  it('begin by an add and end by a removal, again and again', () => {
    const rows = [row('A', 'add', 1), row('B', 'add', 2), row('A', 'remove', 3), row('A', 'add', 5)];
    expect(times(rows, [member('A', 5), member('B', 2)], NOW)).toEqual([
      ['A', '01-03 removed', '05- open'],
      ['B', '02- open'],
    ]);
  });

  it('have the deadline that was set last', () => {
    const rows = [
      row('A', 'add', 1, { expires_at: day(28) }),
      row('A', 'extend', 2, { expires_at: day(30) }),
    ];
    expect(lanesOf(rows, [member('A', 1, day(30))], NOW)[0]?.intervals).toEqual([
      { from: day(1), to: null, deadline: day(30), end: 'open' },
    ]);
    const endless = lanesOf([...rows, row('A', 'extend', 3)], [member('A', 1)], NOW);
    expect(endless[0]?.intervals[0]?.deadline).toBeNull();
  });

  it('end by their deadline, written down or not', () => {
    const add = row('A', 'add', 1, { expires_at: day(5) });
    const expiry = row('A', 'remove', 5, { source: 'expiry' });
    expect(times([add, expiry], [], NOW)).toEqual([['A', '01-05 expired']]);
    expect(times([add], [], NOW)).toEqual([['A', '01-05 expired']]);
    expect(times([add], [member('A', 1, day(5))], NOW)).toEqual([['A', '01-05 expired']]);
    expect(times([add, row('A', 'add', 8)], [member('A', 8)], NOW)).toEqual([
      ['A', '01-05 expired', '08- open'],
    ]);
  });

  it('may have begun before history', () => {
    expect(times([row('A', 'remove', 3)], [], NOW)).toEqual([['A', '?-03 removed']]);
    expect(times([row('A', 'extend', 3)], [member('A', 1)], NOW)).toEqual([['A', '?- open']]);
    expect(times([], [member('A', 1)], NOW)).toEqual([['A', '01- open']]);
  });

  it('go on under a new slug', () => {
    const lanes = lanesOf([row('OLD', 'add', 1)], [member('NEW', 1, day(30))], NOW);
    expect(lanes).toEqual([
      {
        segment: 'NEW',
        formerly: ['OLD'],
        intervals: [{ from: day(1), to: null, deadline: day(30), end: 'open' }],
      },
    ]);
  });

  it('are unclear when nobody tells of their end', () => {
    expect(times([row('OLD', 'add', 1)], [], NOW)).toEqual([['OLD', '01-01 unclear']]);
    // Two segments that began at once are not taken for one.
    expect(times([row('A', 'add', 1), row('B', 'add', 1)], [member('A', 1), member('B', 1)], NOW)).toEqual([
      ['A', '01- open'],
      ['B', '01- open'],
    ]);
  });
});

describe('the axis', () => {
  const lane = (from: string | null, deadline: string | null) => [
    { segment: 'A', formerly: [], intervals: [{ from, to: null, deadline, end: 'open' as const }] },
  ];

  it('reaches from the first to the last, but not to the end of time', () => {
    const near = rangeOf(lane(day(1), day(30)), NOW);
    expect(near.start).toBe(Date.parse(day(1)));
    expect(near.end).toBeGreaterThan(Date.parse(day(30)));
    const far = rangeOf(lane(day(1), '2999-01-01T00:00:00Z'), NOW);
    expect(far.end).toBeLessThan(Date.parse('2027-01-15T00:00:00Z'));
    expect(rangeOf([], NOW).start).toBeLessThan(NOW);
  });

  it('has a few ticks, in order', () => {
    for (const days of [1, 3, 20, 100, 200, 900, 4000]) {
      const ticks = ticksOf(NOW - days * 86_400_000, NOW);
      expect(ticks.length, String(days)).toBeGreaterThan(0);
      expect(ticks.length, String(days)).toBeLessThan(9);
      expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
    }
  });

  it('holds every place', () => {
    const range = { start: 0, end: 200 };
    expect([-5, 0, 50, 200, 900].map((one) => placeOf(one, range))).toEqual([0, 0, 25, 100, 100]);
  });
});
