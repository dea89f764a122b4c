import { describe, expect, it } from 'vitest';
import { csv, localDay } from './files';

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

  it('write days in one way, whatever the language', () => {
    expect(localDay(new Date(2026, 10, 5, 23, 59).toISOString())).toBe('2026-11-05');
    expect(localDay(new Date(2026, 0, 31).toISOString())).toBe('2026-01-31');
  });
});
