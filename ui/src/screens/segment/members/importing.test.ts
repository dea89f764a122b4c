import { expect, it } from 'vitest';
import { FIRST, queryOf } from './importing';

it('asks for no more than was filled in', () => {
  expect(queryOf(FIRST)).toEqual({ mode: 'add' });
  expect(queryOf({ ...FIRST, mode: 'replace', isAtomic: true, reason: ' x ' })).toEqual({
    mode: 'replace',
    atomic: true,
    reason: 'x',
  });
});

it('takes a time to live or a deadline, and neither for those who leave', () => {
  const deadline = '2026-12-01T10:00';
  expect(queryOf({ ...FIRST, deadline })).toEqual({
    mode: 'add',
    expires_at: new Date(deadline).toISOString(),
  });
  expect(queryOf({ ...FIRST, ttl: 'P30D', deadline })).toEqual({ mode: 'add', ttl: 'P30D' });
  expect(queryOf({ ...FIRST, mode: 'remove', ttl: 'P30D' })).toEqual({ mode: 'remove' });
});
