import { expect, it } from 'vitest';
import { doneBy, isEmptyStore, midnight, pace } from './day';

it('a day begins at local midnight', () => {
  const began = new Date(midnight(new Date(2026, 10, 27, 15, 4, 5, 6)));
  expect([began.getDate(), began.getHours(), began.getMinutes(), began.getMilliseconds()]).toEqual([
    27, 0, 0, 0,
  ]);
  const itself = new Date(2026, 10, 27);
  expect(midnight(itself)).toBe(itself.toISOString());
});

it('a store is empty without users and segments', () => {
  expect(isEmptyStore({ users: 0, segments: 0 })).toBe(true);
  expect(isEmptyStore({ users: 1, segments: 0 })).toBe(false);
  expect(isEmptyStore({ users: 0, segments: 1 })).toBe(false);
});

it('what is under way is asked for more often', () => {
  expect(pace(true)).toBeLessThan(pace(false));
});

it('a source that acts by itself is named once', () => {
  expect(doneBy({ source: 'expiry', actor: 'expiry' })).toBe('expiry');
  expect(doneBy({ source: 'manual', actor: 'anna' })).toBe('manual · anna');
});
