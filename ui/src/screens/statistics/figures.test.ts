import { describe, expect, it } from 'vitest';
import { beginning, growth, heightOf, midnight, perDay, spanOf } from './figures';

const NOW = new Date(2026, 10, 27, 15, 30);
const local = (day: number, hour = 0) => new Date(2026, 10, day, hour).toISOString();

describe('a span', () => {
  it('is one of those that are offered', () => {
    expect([7, 30, 90, 8, undefined].map(spanOf)).toEqual([7, 30, 90, 30, 30]);
  });

  it('begins at a local midnight and has today in it', () => {
    expect(beginning(1, NOW)).toBe(local(27));
    expect(beginning(7, NOW)).toBe(local(21));
    expect(midnight(NOW, 4)).toEqual(new Date(2026, 11, 1));
  });
});

describe('growth', () => {
  const point = (at: string, added: number, removed: number) => ({ at, added, removed, extended: 1 });

  it('leaves the first point out and puts what came to the day that brought it', () => {
    const days = growth([point(local(25), 0, 0), point(local(26), 5, 2), point(local(26, 9), 1, 4)]);
    expect(days.map(({ at }) => new Date(at).getDate())).toEqual([25, 26]);
    expect(days.map(({ added, removed, extended, net }) => [added, removed, extended, net])).toEqual([
      [5, -2, 1, 3],
      [1, -4, 1, -3],
    ]);
  });

  it('writes no minus before nothing', () => {
    const [day] = growth([point(local(25), 0, 0), point(local(26), 0, 0)]);
    expect(Object.is(day?.removed, 0)).toBe(true);
  });

  it('of nothing is nothing', () => {
    expect(growth([])).toEqual([]);
    expect(growth([point(local(25), 0, 0)])).toEqual([]);
  });
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
