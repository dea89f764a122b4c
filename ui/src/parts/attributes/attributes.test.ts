import { describe, expect, it } from 'vitest';
import { inShort, mergePatch, merged, readRows, rowsOf, withFreshRow } from './attributes';

const row = (id: number, key: string, value: string) => ({ id, key, value });

describe('rows of attributes', () => {
  it('go there and back', () => {
    const attributes = { country: 'Norway', orders: 12, tags: ['a'], deep: { x: null } };
    expect(readRows(rowsOf(attributes))).toEqual({ attributes, faults: new Map() });
  });

  it('may stand blank, and get an id of their own', () => {
    const rows = withFreshRow([row(4, 'a', '1')]);
    expect(rows.at(-1)).toEqual(row(5, '', ''));
    expect(readRows(rows).attributes).toEqual({ a: 1 });
    expect(withFreshRow([])[0]?.id).toBe(0);
  });

  it('tell what is wrong with each', () => {
    const rows = [
      row(0, 'a', '1'),
      row(1, ' a ', '2'),
      row(2, '', '3'),
      row(3, 'b', 'text'),
      row(4, 'c', 'null'),
    ];
    expect([...readRows(rows).faults]).toEqual([
      [1, 'twice'],
      [2, 'noKey'],
      [3, 'notJson'],
      [4, 'nothing'],
    ]);
    expect(readRows([row(0, 'c', 'null')], { c: null }).faults.size).toBe(0);
  });

  it('tell of a number that would be rounded, unless it stands there already', () => {
    const row = (value: string) => readRows([{ id: 0, key: 'a', value }]).faults.get(0);
    expect(row('9007199254740993')).toBe('notExact');
    expect(row('[1, {"b": -123456789012345678}]')).toBe('notExact');
    expect([row('9007199254740991'), row('0.1'), row('"9007199254740993"')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const before = { a: JSON.parse('9007199254740993') as number };
    expect(readRows(rowsOf(before), before).faults.size).toBe(0);
  });

  it('take any name', () => {
    const { attributes } = readRows([row(0, '__proto__', '1'), row(1, 'constructor', '2')]);
    expect(JSON.stringify(attributes)).toBe('{"__proto__":1,"constructor":2}');
    expect(JSON.stringify(mergePatch({}, attributes))).toBe('{"__proto__":1,"constructor":2}');
  });
});

describe('a patch of attributes', () => {
  const before = { country: 'UK', orders: 12, deep: { x: 1, y: 2 }, list: [1] };

  it('has only what differs', () => {
    expect(mergePatch(before, { ...before, orders: 13 })).toEqual({ orders: 13 });
    expect(mergePatch(before, before)).toEqual({});
  });

  it('takes away by null, also inside', () => {
    const after = { country: 'UK', orders: 12, deep: { y: 3 }, list: [] };
    const patch = mergePatch(before, after);
    expect(patch).toEqual({ deep: { x: null, y: 3 }, list: [] });
    expect(merged(before, patch)).toEqual(after);
    expect(mergePatch(before, {})).toEqual({ country: null, orders: null, deep: null, list: null });
  });

  it('leaves alone what somebody else changed', () => {
    const patch = mergePatch(before, { ...before, orders: 13 });
    expect(merged({ ...before, country: 'NO' }, patch)).toEqual({ ...before, country: 'NO', orders: 13 });
  });
});

describe('attributes in short', () => {
  it('are a few in a line', () => {
    expect(inShort({ a: 'x', b: 1, c: true, d: null, e: 2 })).toBe('a: x, b: 1, c: true, d: null, …');
    expect(inShort({})).toBe('');
  });
});
