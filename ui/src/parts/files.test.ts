import { describe, expect, it } from 'vitest';
import { csv } from './files';

describe('a file of a chart', () => {
  it('is CSV as the service writes it', () => {
    expect(
      csv([
        ['segment', 'users'],
        ['a;"b"', 12],
      ]),
    ).toBe('segment;users\r\n"a;""b""";12\r\n');
  });

  it('carries no formula', () => {
    expect(csv([['=1+1', '-2', -2, null]])).toBe("'=1+1;'-2;-2;\r\n");
  });
});
