import { describe, expect, it } from 'vitest';
import { shareOf } from './share';

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
