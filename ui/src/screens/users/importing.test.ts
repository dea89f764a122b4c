import { describe, expect, it } from 'vitest';
import { changesOf, shareDone } from './importing';

describe('an import', () => {
  it('changes what it makes and completes', () => {
    expect(changesOf({ counts: { created: 2, updated: 3, unchanged: 9 } })).toBe(5);
    expect(changesOf({ counts: null })).toBe(0);
  });

  it('is done by a share, where the whole is known', () => {
    expect(shareDone({ done: 5, total: 20 })).toBe(25);
    expect(shareDone({ done: 30, total: 20 })).toBe(100);
    expect(shareDone({ done: 5, total: null })).toBeNull();
    expect(shareDone({ done: 0, total: 0 })).toBeNull();
  });
});
