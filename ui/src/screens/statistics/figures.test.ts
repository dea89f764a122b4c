import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bySource, growth, heightOf, midnight, perDay, spanOf, stretches } from './figures';

const NOW = new Date(2026, 10, 27, 15, 30);
const local = (day: number, hour = 0) => new Date(2026, 10, day, hour).toISOString();

describe('a span', () => {
  it('is one of those that are offered', () => {
    expect([7, 30, 90, 8, undefined].map(spanOf)).toEqual([7, 30, 90, 30, 30]);
  });

  it('begins at a local midnight and has today in it', () => {
    expect(stretches(1, NOW)).toEqual([{ from: local(27) }]);
    expect(stretches(7, NOW)).toEqual([{ from: local(21) }]);
    expect(midnight(NOW, 4)).toEqual(new Date(2026, 11, 1));
  });
});

describe('growth', () => {
  const point = (at: string, added: number, removed: number) => ({ at, added, removed, extended: 1 });

  it('leaves the first point out and puts what came to the day that brought it', () => {
    const days = growth([[point(local(25), 0, 0), point(local(26), 5, 2), point(local(26, 9), 1, 4)]]);
    expect(days.map(({ at }) => new Date(at).getDate())).toEqual([25, 26]);
    expect(days.map(({ added, removed, extended, net }) => [added, removed, extended, net])).toEqual([
      [5, -2, 1, 3],
      [1, -4, 1, -3],
    ]);
  });

  it('writes no minus before nothing', () => {
    const [day] = growth([[point(local(25), 0, 0), point(local(26), 0, 0)]]);
    expect(Object.is(day?.removed, 0)).toBe(true);
  });

  it('of nothing is nothing', () => {
    expect(growth([])).toEqual([]);
    expect(growth([[point(local(25), 0, 0)]])).toEqual([]);
  });
});

describe('where clocks are put back and forth', () => {
  beforeAll(() => vi.stubEnv('TZ', 'Europe/London'));
  afterAll(() => vi.unstubAllEnvs());

  /** The points that the service gives of a stretch, each with one addition. */
  const points = ({ from, to }: { from: string; to?: string }, now: Date) => {
    const found = [{ at: from, added: 0, removed: 0, extended: 0 }];
    const end = Date.parse(to ?? now.toISOString());
    for (let at = Date.parse(from); at < end;) {
      at = Math.min(at + 86_400_000, end);
      found.push({ at: new Date(at).toISOString(), added: 1, removed: 0, extended: 0 });
    }
    return found;
  };

  it.each([
    // Late in the evening of a winter day, back to summer.
    ['2026-11-27T23:30:00Z', 90, '2026-10-26T00:00:00Z'],
    // Back to winter.
    ['2027-04-10T12:00:00Z', 30, '2027-03-28T23:00:00Z'],
  ])('days are local days, each once: %s', (at, days, parted) => {
    const now = new Date(at);
    const parts = stretches(days, now);
    expect(parts.map(({ to }) => to)).toEqual([new Date(parted).toISOString(), undefined]);
    const rows = growth(parts.map((part) => points(part, now)));
    expect(rows).toHaveLength(days);
    expect(rows.map((row) => row.at)).toEqual(
      Array.from({ length: days }, (_, place) => midnight(now, place + 1 - days).toISOString()),
    );
  });
});

it('sources are summed over all stretches', () => {
  const moves = (source: string, added: number) => ({ source, added, removed: 1, extended: 0 });
  expect(
    bySource([
      [moves('import', 2), moves('manual', 1)],
      [moves('api', 3), moves('manual', 4)],
    ]),
  ).toEqual([moves('api', 3), moves('import', 2), { source: 'manual', added: 5, removed: 2, extended: 0 }]);
});

describe('ends by day', () => {
  it('are counted in local days, from today on', () => {
    const days = perDay([local(27, 16), local(27, 23), local(28), local(29, 1), local(30)], 3, NOW);
    expect(days).toEqual([
      { at: local(27), count: 2 },
      { at: local(28), count: 1 },
      { at: local(29), count: 1 },
    ]);
  });
});

it('more bars have more room', () => {
  expect(heightOf(20)).toBeGreaterThan(heightOf(5));
  expect(heightOf(0)).toBe(140);
});
