import { describe, expect, it } from 'vitest';
import { forEach } from './each';
import { instantAt, placeOf, rangeOf, usersFile } from './past';
import { cellsOf, fileOf, previewOf, separatorOf } from './rows';

describe('the preview of a file', () => {
  it('finds the separator', () => {
    expect(separatorOf('user_id;reason')).toBe(';');
    expect(separatorOf('user_id\treason')).toBe('\t');
    expect(separatorOf('user_id,a;b,c')).toBe(',');
    expect(separatorOf('user_id')).toBe(';');
  });
  it('reads quotes, empty lines and ends of lines', () => {
    expect(cellsOf('a;b\r\n\r\n"x;""y""\nz";2', ';', 9)).toEqual([
      ['a', 'b'],
      ['x;"y"\nz', '2'],
    ]);
    expect(cellsOf('a\nb\nc', ';', 2)).toEqual([['a'], ['b']]);
    expect(cellsOf('a;', ';', 2)).toEqual([['a', '']]);
  });
  it('tells header and rows apart', () => {
    const found = previewOf('\uFEFFUser_ID,reason\n1,x\n2,y\n3,z\n', 2);
    expect(found).toMatchObject({ separator: ',', header: ['User_ID', 'reason'], hasUsers: true });
    expect(found.rows).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ]);
  });
  it('warns of what cannot be right', () => {
    expect(previewOf('id\n1', 5).hasUsers).toBe(false);
    expect(previewOf('user_id\n\uFFFD', 5).isGarbled).toBe(true);
    expect(previewOf('', 5)).toMatchObject({ header: [], rows: [], hasUsers: false });
  });
});

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
    expect(usersFile('csv', 'A', undefined)).toBe('/api/v1/segments/A/users.csv');
    expect(usersFile('xlsx', 'A', '2026-11-27T12:00:00Z')).toBe(
      '/api/v1/segments/A/users.xlsx?as_of=2026-11-27T12%3A00%3A00Z',
    );
  });
});

describe('an act for each', () => {
  it('goes on after a failure', async () => {
    const act = (id: string) => (id === '2' ? Promise.reject(new Error('no')) : Promise.resolve());
    const outcome = await forEach(['1', '2', '3'], act);
    expect(outcome.done.sort()).toEqual(['1', '3']);
    expect(outcome.failed).toEqual(['2']);
    expect(outcome.error).toEqual(new Error('no'));
  });
});
