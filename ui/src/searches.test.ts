import { describe, expect, it } from 'vitest';
import * as searches from './searches';

describe('an address', () => {
  it('leads nowhere but into this console after signing in', () => {
    for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', 'evil']) {
      expect(searches.signIn({ next }).next).toBeUndefined();
    }
    expect(searches.signIn({ next: '/segments?kind=percent' }).next).toBe('/segments?kind=percent');
  });

  it('says what a screen knows, and the rest is left out', () => {
    expect(searches.segments({ kind: 'nonsense', query: 'VIP', sort: '-user_count', other: 1 })).toEqual({
      query: 'VIP',
      kind: undefined,
      sort: '-user_count',
      columns: undefined,
      new: undefined,
    });
    expect(searches.segments({ columns: 'kind,size' }).columns).toEqual(['kind', 'size']);
  });

  it('may name a user or a slug of digits only', () => {
    expect(searches.segment({ user_id: 1000 }).user_id).toBe('1000');
  });
});
