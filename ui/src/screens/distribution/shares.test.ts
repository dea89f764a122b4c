import { describe, expect, it } from 'vitest';
import { shareOf, split } from './shares';

describe('a share', () => {
  it('has at most 4 decimals', () => {
    expect(shareOf(12.34567)).toBe(12.3457);
    expect(shareOf('0.0001')).toBe(0.0001);
    expect(shareOf(100)).toBe(100);
  });

  it('is none when nothing, or nothing possible, was typed', () => {
    expect(shareOf('')).toBeNull();
    expect(shareOf('-')).toBeNull();
    expect(shareOf(100.1)).toBeNull();
    expect(shareOf(-1)).toBeNull();
  });
});

describe('the overlap of two', () => {
  const overlap = {
    segments: [],
    jaccard: [
      [1, 0.25],
      [0.25, 1],
    ],
    intersections: [
      { segments: ['B', 'A'], user_count: 5 },
      { segments: ['A'], user_count: 10 },
    ],
  };

  it('is told by groups, in either order, and 0 for what is left out', () => {
    expect(split(overlap, 'A', 'B')).toEqual({ first: 10, both: 5, second: 0, likeness: 0.25 });
  });
});
