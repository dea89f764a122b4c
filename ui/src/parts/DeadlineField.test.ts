import { describe, expect, it } from 'vitest';
import { instantOf, localOf } from './DeadlineField';

describe('a deadline', () => {
  it('is the same instant after it was a local time', () => {
    const local = localOf('2026-11-27T08:30:00.000000Z');
    expect(instantOf(local)).toBe('2026-11-27T08:30:00.000Z');
  });

  it('is none when nothing, or no time, stands there', () => {
    expect(instantOf('')).toBeUndefined();
    expect(instantOf('2026-99-99T00:00')).toBeUndefined();
  });
});
