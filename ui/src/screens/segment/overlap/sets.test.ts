import { describe, expect, it } from 'vitest';
import { comparedOf, expressionOf, othersOf, rowsOf, sortedBySize, spanOf, totalOf } from './sets';

const ALL = ['A', 'B', 'C', 'D'];

describe('which segments are compared', () => {
  it('begins with this one, and names each once', () => {
    expect(comparedOf('A', ['B', 'A', 'B'])).toEqual(['A', 'B']);
    expect(comparedOf('A', undefined)).toEqual(['A']);
  });
  it('has no more than eight', () => {
    expect(comparedOf('A', [...'bcdefghijk'])).toHaveLength(8);
  });
  it('keeps the others alone, also when this one was taken out', () => {
    expect(othersOf('A', ['B', 'C'])).toEqual(['B', 'C']);
    expect(othersOf('A', ['A'])).toBeUndefined();
  });
});

describe('the expression of an intersection', () => {
  it('names who is in and who is not', () => {
    expect(expressionOf(['A', 'B'], ['A', 'B', 'C'])).toBe('(A & B) - C');
    expect(expressionOf(['A'], ALL)).toBe('A - (B | C | D)');
    expect(expressionOf(['C'], ['A', 'C'])).toBe('C - A');
  });
  it('is without a minus when nothing is left out', () => {
    expect(expressionOf(['A', 'B'], ['A', 'B'])).toBe('A & B');
    expect(expressionOf(['A'], ['A'])).toBe('A');
  });
});

describe('intersections', () => {
  const some = [
    { segments: ['A', 'B'], user_count: 5 },
    { segments: ['B'], user_count: 5 },
    { segments: ['C'], user_count: 9 },
    { segments: ['A'], user_count: 5 },
  ];
  it('are sorted by size, and equals always alike', () => {
    expect(sortedBySize(some, ALL).map(({ segments }) => segments.join(''))).toEqual(['C', 'A', 'B', 'AB']);
    expect(sortedBySize([...some].reverse(), ALL)).toEqual(sortedBySize(some, ALL));
  });
  it('are rows of a file', () => {
    expect(rowsOf(some.slice(0, 1), ['A', 'B', 'C'], 'users')).toEqual([
      ['A', 'B', 'C', 'users'],
      [1, 1, 0, 5],
    ]);
    expect(totalOf(some)).toBe(24);
  });
  it('span from the first to the last of their segments', () => {
    expect(spanOf(['B', 'D'], ALL)).toEqual([1, 3]);
    expect(spanOf([], ALL)).toBeNull();
  });
});
