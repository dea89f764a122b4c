// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { cellsOf, isUtf8, previewOf, separatorOf } from './preview';

const file = (...parts: BlobPart[]) => new Blob(parts);

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
  it('tells header and rows apart, and shows few of them', async () => {
    const found = await previewOf(file('\uFEFFUser_ID,reason\n1,x\n2,y\n3,z\n4,\n5,\n6,\n'));
    expect(found).toMatchObject({ separator: ',', header: ['User_ID', 'reason'], hasUsers: true });
    expect(found.rows.slice(0, 2)).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ]);
    expect(found.rows).toHaveLength(5);
  });
  it('warns of a missing column', async () => {
    expect((await previewOf(file('id\n1'))).hasUsers).toBe(false);
    expect(await previewOf(file(''))).toMatchObject({ header: [], rows: [], hasUsers: false });
  });
});

it('finds letters that are not UTF-8, however far behind', async () => {
  const long = 'user_id\n' + 'я'.repeat(100_000);
  expect(await isUtf8(file(''))).toBe(true);
  expect(await isUtf8(file(long))).toBe(true);
  expect(await isUtf8(file(long, new Uint8Array([0xff, 0x0a])))).toBe(false);
  // Cut off in the middle of a letter.
  expect(await isUtf8(file(long, new Uint8Array([0xd1])))).toBe(false);
});
