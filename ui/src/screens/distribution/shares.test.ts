import { describe, expect, it } from 'vitest';
import { split } from './shares';

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
