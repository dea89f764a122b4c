import { describe, expect, it } from 'vitest';
import { fileOf } from './ids';
import { instantAt, placeOf, rangeOf, usersFile } from './past';

describe('a file of users', () => {
  it('has each as it is', () => {
    expect(fileOf(['1', '-2', "'-3", 'a"b'])).toBe(
      'user_id;reason\r\n"1";\r\n"\'-2";\r\n"\'\'-3";\r\n"a""b";\r\n',
    );
  });
});

describe('the past', () => {
  const now = Date.parse('2026-11-27T12:00:00Z');
  it('goes back to the first member, by days, hours or minutes', () => {
    const old = rangeOf('2020-01-01T13:00:00Z', now);
    expect(old.step).toBe(86_400_000);
    expect(new Date(old.min).toISOString()).toBe('2020-01-01T12:00:00.000Z');
    expect(rangeOf('2026-11-01T12:00:00Z', now).step).toBe(3_600_000);
    const young = rangeOf('2026-11-27T11:30:20Z', now);
    expect(young.step).toBe(60_000);
    expect(new Date(young.min).toISOString()).toBe('2026-11-27T11:30:00.000Z');
  });
  it('ends at now, which is no past', () => {
    const range = rangeOf('2026-11-01T00:00:00Z', now);
    expect(instantAt(now, range)).toBeUndefined();
    expect(instantAt(now - 1000, range)).toBe('2026-11-27T11:59:59.000Z');
    expect(placeOf(undefined, range)).toBe(now);
    expect(placeOf('2001-01-01T00:00:00Z', range)).toBe(range.min);
    expect(placeOf('nonsense', range)).toBe(now);
  });
  it('is in the address of a file', () => {
    expect(usersFile('csv', 'A', {})).toBe('/api/v1/segments/A/users.csv');
    expect(usersFile('xlsx', 'A', { query: 'a b', as_of: '2026-11-27T12:00:00Z' })).toBe(
      '/api/v1/segments/A/users.xlsx?query=a+b&as_of=2026-11-27T12%3A00%3A00Z',
    );
  });
});
