import { describe, expect, it } from 'vitest';
import { bodyOf, draftOf, isName, isPrefix, isReady, stateOf, successor, usageOf } from './rights';

const now = new Date('2026-11-27T10:00:00Z').getTime();

describe('a token', () => {
  it('is good until it ends or is revoked', () => {
    expect(stateOf({ revoked_at: null, expires_at: null }, now)).toBe('good');
    expect(stateOf({ revoked_at: null, expires_at: '2026-12-27T10:00:00Z' }, now)).toBe('good');
    expect(stateOf({ revoked_at: null, expires_at: '2026-11-30T10:00:00Z' }, now)).toBe('ending');
    expect(stateOf({ revoked_at: null, expires_at: '2026-11-27T10:00:00Z' }, now)).toBe('expired');
    expect(stateOf({ revoked_at: '2026-11-01T10:00:00Z', expires_at: '2026-11-02T10:00:00Z' }, now)).toBe(
      'revoked',
    );
  });

  it('is used by a line that it may send', () => {
    expect(usageOf({ scopes: ['manage'] }, 'http://h')).toBe(
      `curl -H "Authorization: Bearer $STRATA_TOKEN" 'http://h/api/v1/segments?limit=10'`,
    );
    expect(usageOf({ scopes: ['assign'] }, 'http://h')).toContain('/api/v1/accounts/me');
  });

  it('has a successor with a name of its own', () => {
    expect(successor('shop')).toBe('shop-2');
    expect(successor('shop-9')).toBe('shop-10');
    expect(successor('shop-backend')).toBe('shop-backend-2');
    expect(successor('a'.repeat(100))).toHaveLength(100);
  });
});

describe('a new token', () => {
  const draft = { ...draftOf(), name: ' shop ' };

  it('begins with the least, and ends', () => {
    expect(bodyOf(draft)).toEqual({ name: 'shop', scopes: ['read'], ttl: 'P90D' });
  });

  it('has scopes in their order, a prefix, and an end or none', () => {
    const until = '2030-01-02T03:04';
    const full = { ...draft, scopes: ['persons' as const, 'assign' as const], prefix: 'promo_' };
    expect(bodyOf({ ...full, life: 'until', until })).toEqual({
      name: 'shop',
      scopes: ['assign', 'persons'],
      segment_prefix: 'promo_',
      expires_at: new Date(until).toISOString(),
    });
    expect(bodyOf({ ...draft, life: 'always', until })).toEqual({ name: 'shop', scopes: ['read'] });
  });

  it('is ready when the service would take it', () => {
    expect(isReady(draft)).toBe(true);
    expect(isReady({ ...draft, scopes: [] })).toBe(false);
    expect(isReady({ ...draft, life: 'until' })).toBe(false);
    expect(isName('two words')).toBe(false);
    expect(isPrefix('promo_')).toBe(true);
    expect(isPrefix('_promo')).toBe(false);
  });
});
