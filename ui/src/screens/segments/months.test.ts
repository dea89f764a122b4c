import { describe, expect, it } from 'vitest';
import { asked, sizesBySlug } from './months';

describe('what is asked of a list', () => {
  const page = (from: number, length: number) => ({
    items: Array.from({ length }, (_, place) => from + place),
  });

  it('is every row once, at most fifty at once, and never nothing', () => {
    const questions = asked([page(0, 120), page(120, 50), page(170, 0)]);
    expect(questions.map((rows) => rows.length)).toEqual([50, 50, 20, 50]);
    expect(questions.flat()).toEqual(page(0, 170).items);
    expect(asked(undefined)).toEqual([]);
  });
});

describe('sizes of a month', () => {
  it('come together from the questions that are answered', () => {
    const at = '2026-11-27T00:00:00.000000Z';
    const point = (user_count: number) => ({ at, user_count, entered: 0, left: 0 });
    const answer = { step: 'P1D', items: [{ segment: 'A', points: [point(1), point(3)] }] };
    expect([...sizesBySlug([{ data: answer }, {}])]).toEqual([['A', [1, 3]]]);
  });
});
