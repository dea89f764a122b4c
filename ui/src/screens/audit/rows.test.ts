import { describe, expect, it } from 'vitest';
import { filtersOf, keyOf, readable } from './rows';

const words = { yes: 'yes', no: 'no', none: 'none' };
const nothing = {
  actor: undefined,
  action: undefined,
  subject: undefined,
  month: undefined,
  from: undefined,
  to: undefined,
};

describe('a row of the audit log', () => {
  it('is told by names and values', () => {
    const detail = {
      kind: 'report',
      is_dry: true,
      slugs: ['A', 'B'],
      none: null,
      limits: { rate: 5, of: [] },
    };
    expect(readable(detail, words)).toEqual([
      ['kind', 'report'],
      ['is_dry', 'yes'],
      ['slugs', 'A, B'],
      ['none', 'none'],
      ['limits.rate', '5'],
      ['limits.of', 'none'],
    ]);
    expect(readable({}, words)).toEqual([]);
    expect(readable({ rows: [{ a: 1 }, { a: 2 }] }, words)).toEqual([
      ['rows.0.a', '1'],
      ['rows.1.a', '2'],
    ]);
  });

  it('has a key without dots', () => {
    expect(keyOf('session.refresh_reused')).toBe('session_refresh_reused');
  });
});

describe('filters', () => {
  it('are a month, or from and to, never both', () => {
    expect(filtersOf({ ...nothing, month: '2026-11', from: '2026-11-01T00:00:00Z' })).toEqual({
      month: '2026-11',
    });
    expect(filtersOf({ ...nothing, actor: 'anna', to: '2026-11-01T00:00:00Z' })).toEqual({
      actor: 'anna',
      to: '2026-11-01T00:00:00Z',
    });
  });
});
