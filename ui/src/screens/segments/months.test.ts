import { describe, expect, it } from 'vitest';
import { sizesBySlug } from './months';

describe('sizes of a month', () => {
  it('come together from the questions that are answered', () => {
    const at = '2026-11-27T00:00:00.000000Z';
    const point = (user_count: number) => ({ at, user_count, entered: 0, left: 0 });
    const answer = { step: 'P1D', items: [{ segment: 'A', points: [point(1), point(3)] }] };
    expect([...sizesBySlug([{ data: answer }, {}])]).toEqual([['A', [1, 3]]]);
  });
});
