// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { cellsOf, changesOf, previewOf, separatorOf } from './preview';

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
  it('tells header and rows apart', async () => {
    const found = await previewOf(file('\uFEFFUser_ID,reason\n1,x\n2,y\n3,z\n'), 2);
    expect(found).toMatchObject({ separator: ',', header: ['User_ID', 'reason'], hasUsers: true });
    expect(found.rows).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ]);
  });
  it('warns of what cannot be right', async () => {
    expect((await previewOf(file('id\n1'), 5)).hasUsers).toBe(false);
    expect(await previewOf(file(''), 5)).toMatchObject({
      header: [],
      rows: [],
      hasUsers: false,
      isGarbled: false,
    });
  });
  it('finds letters that are not UTF-8, however far behind', async () => {
    const long = 'user_id\n' + 'я'.repeat(100_000);
    expect((await previewOf(file(long), 5)).isGarbled).toBe(false);
    expect((await previewOf(file(long, new Uint8Array([0xff, 0x0a])), 5)).isGarbled).toBe(true);
    // Cut off in the middle of a letter.
    expect((await previewOf(file(long, new Uint8Array([0xd1])), 5)).isGarbled).toBe(true);
  });
});

describe('an import', () => {
  it('changes what it makes, moves and completes', () => {
    expect(changesOf({ counts: { created: 2, updated: 3, unchanged: 9, duplicates: 1 } })).toBe(5);
    expect(changesOf({ counts: { added: 1, extended: 2, removed: 4, users_created: 1 } })).toBe(8);
    expect(changesOf({ counts: null })).toBe(0);
  });
});
