import { describe, expect, it } from 'vitest';
import { allTime, daysBefore, endsOf, filtersOf, historyFile } from './period';
import { isMonth } from '../../parts/month';

const NOTHING = {
  tab: undefined,
  query: undefined,
  as_of: undefined,
  user_id: undefined,
  month: undefined,
  from: undefined,
  to: undefined,
  with: undefined,
  days: undefined,
  act: undefined,
};

describe('the period of a history', () => {
  it('begins some days ago', () => {
    expect(daysBefore(7, new Date('2026-11-27T10:00:00Z'))).toEqual({
      from: '2026-11-20T10:00:00.000Z',
      to: '2026-11-27T10:00:00.000Z',
      step: 'P1D',
    });
  });

  it('goes back to before the first entry, in about 120 whole steps', () => {
    const now = new Date('2026-11-27T10:00:00Z');
    const all = allTime('2009-12-01T08:34:00Z', now);
    expect(all.step).toBe('P52D');
    const days = (now.getTime() - Date.parse(all.from)) / 86_400_000;
    expect(days % 52).toBe(0);
    expect(Date.parse(all.from)).toBeLessThan(Date.parse('2009-12-01T08:34:00Z'));
    expect(allTime('2026-11-27T09:59:00Z', now)).toEqual(daysBefore(1, now));
  });

  it('is a month or two ends, never both', () => {
    const both = { ...NOTHING, month: '2026-10', from: '2026-01-01T00:00:00Z', user_id: '7' };
    expect(filtersOf(both)).toEqual({ month: '2026-10', user_id: '7' });
    expect(filtersOf({ ...both, month: undefined })).toEqual({ from: '2026-01-01T00:00:00Z', user_id: '7' });
    expect(filtersOf(NOTHING)).toEqual({});
  });

  it('has the ends of its month, also at the end of a year', () => {
    expect(endsOf({ month: '2025-12' })).toEqual({
      from: '2025-12-01T00:00:00.000Z',
      to: '2026-01-01T00:00:00.000Z',
    });
    expect(endsOf({ month: '2999-01' })).toEqual({ from: '2999-01-01T00:00:00.000Z' });
    expect(endsOf({ to: '2026-01-01T00:00:00Z' })).toBeNull();
    expect(endsOf({ from: 'a' })).toEqual({ from: 'a' });
  });

  it('knows a month', () => {
    expect(['2026-01', '2026-12', '2026-13', '2026-1', '2026-01-01', ''].map(isMonth)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('is in the address of its file', () => {
    expect(historyFile('xlsx', 'A_B', { from: '2026-01-01T00:00:00Z' })).toBe(
      '/api/v1/history.xlsx?segment=A_B&from=2026-01-01T00%3A00%3A00Z',
    );
  });
});
