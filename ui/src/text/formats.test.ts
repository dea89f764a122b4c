import { describe, expect, it } from 'vitest';
import { formats } from './formats';

describe('formats', () => {
  it('writes numbers as the language does', () => {
    expect(formats('en').number(481913)).toBe('481,913');
    expect(formats('ru').number(481913)).toBe('481\u00a0913');
  });

  it('writes a share with as many digits as asked for, and no more', () => {
    expect(formats('en').percent(29.99)).toBe('29.99%');
    expect(formats('en').percent(30)).toBe('30%');
    expect(formats('ru').percent(0.0001, 4)).toBe('0,0001\u00a0%');
  });

  it('says that UTC is UTC', () => {
    expect(formats('en').utc('2026-11-27T08:30:00.000000Z')).toBe('Nov 27, 2026, 8:30 AM UTC');
  });

  it('writes the time of day alone where the day stands beside it', () => {
    expect(formats('ru').utcTime('2026-11-27T08:30:00.000000Z')).toBe('08:30 UTC');
  });

  it('tells a distance in the largest unit that fits, towards both sides', () => {
    const now = Date.parse('2026-11-27T00:00:00Z');
    expect(formats('en').distance('2026-11-30T01:00:00Z', now)).toBe('in 3 days');
    expect(formats('en').distance('2026-11-26T22:00:00Z', now)).toBe('2 hours ago');
    expect(formats('ru').distance('2026-11-30T00:00:00Z', now)).toBe('через 3 дня');
    expect(formats('en').distance('2026-11-27T00:00:00Z', now)).toBe('now');
    expect(formats('en').distance('2026-11-28T23:00:00Z', now)).toBe('in 1 day');
  });

  it('counts bytes in powers of a thousand', () => {
    expect(formats('en').bytes(999)).toBe('999 bytes');
    expect(formats('ru').bytes(999)).toBe('999 байт');
    expect(formats('en').bytes(10_400_000)).toBe('10.4 MB');
  });
});
