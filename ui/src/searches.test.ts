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
    expect(searches.segments({ columns: [] }).columns).toEqual([]);
  });

  it('may name a user or a slug of digits only', () => {
    expect(searches.segment({ user_id: 1000 }).user_id).toBe('1000');
  });

  it('keeps a long id, and what looks like yes, as they are', () => {
    const read = (text: string) => {
      try {
        return searches.exactly(text);
      } catch {
        return text;
      }
    };
    expect(['12345678901234567890', '1e3', '12.50', '0x1'].map(read)).toEqual([
      '12345678901234567890',
      '1e3',
      '12.50',
      '0x1',
    ]);
    expect(['12', '-1.5', 'true', '"12"'].map(read)).toEqual([12, -1.5, true, '12']);
    expect(searches.segments({ query: true })).toMatchObject({ query: 'true' });
  });
});
