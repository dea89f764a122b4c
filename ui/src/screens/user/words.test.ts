import { describe, expect, it } from 'vitest';
import { verdictOf } from './words';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const row = {
  id: 1,
  user_id: '7',
  segment: 'A',
  operation: 'remove' as const,
  timestamp: '2026-11-20T00:00:00Z',
  expires_at: null,
  source: 'manual',
  actor: 'anna',
  reason: null,
};
const out = { is_member: false, membership: null };

describe('why', () => {
  it('is told by the membership of who is in', () => {
    const by = { since: row.timestamp, expires_at: null, source: 'manual', actor: 'anna', reason: null };
    expect(verdictOf({ is_member: true, membership: by, history: [] }, NOW)).toEqual({ says: 'in', by });
  });

  it('is told by what happened last to who is out', () => {
    expect(verdictOf({ ...out, history: [row] }, NOW)).toEqual({ says: 'out', by: row });
    expect(verdictOf({ ...out, history: [{ ...row, source: 'expiry' }] }, NOW)).toEqual({
      says: 'expired',
      at: row.timestamp,
    });
    expect(verdictOf({ ...out, history: [] }, NOW)).toEqual({ says: 'never' });
  });

  it('knows a deadline that nobody wrote down yet', () => {
    const add = { ...row, operation: 'add' as const, expires_at: '2026-11-27T11:59:00Z' };
    expect(verdictOf({ ...out, history: [add] }, NOW)).toEqual({ says: 'expired', at: add.expires_at });
    expect(verdictOf({ ...out, history: [{ ...add, expires_at: null }] }, NOW)).toEqual({ says: 'not' });
  });
});
