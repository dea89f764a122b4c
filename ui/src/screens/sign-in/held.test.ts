import { expect, test } from 'vitest';
import { heldBy, sentenceOf } from './held';

test('an address holds a code, a problem or nothing', () => {
  expect(heldBy('')).toBeNull();
  expect(heldBy('#')).toBeNull();
  expect(heldBy('#9F3c-x')).toEqual({ code: '9F3c-x' });
  expect(heldBy('#problem=invalid')).toEqual({ problem: 'invalid' });
});

test('an unknown problem gets the general sentence', () => {
  expect(sentenceOf('provider_unavailable')).toBe('provider_unavailable');
  expect(sentenceOf('<b>')).toBe('unknown');
});
