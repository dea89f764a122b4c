import { describe, expect, it } from 'vitest';
import { path } from './Sparkline';

describe('a sparkline', () => {
  it('goes from left to right, and up when there is more', () => {
    expect(path([0, 5, 10])).toBe('0.0,24.0 50.0,13.0 100.0,2.0');
  });

  it('lies in the middle when nothing changed', () => {
    expect(path([7, 7])).toBe('0.0,13.0 100.0,13.0');
    expect(path([7])).toBe('0.0,13.0');
  });
});
