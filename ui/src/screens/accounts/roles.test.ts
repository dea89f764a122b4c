import { describe, expect, it } from 'vitest';
import { isLogin, newAccount, patchOf, roleOf, stateOf } from './roles';

describe('a change of access', () => {
  const before = { role: 'viewer', sees_persons: false } as const;

  it('names only what differs', () => {
    expect(patchOf(before, before)).toEqual({});
    expect(patchOf(before, { ...before, role: 'analyst' })).toEqual({ role: 'analyst' });
    expect(patchOf(before, { ...before, sees_persons: true })).toEqual({ sees_persons: true });
  });
});

describe('a new account', () => {
  it('is granted personal data only as a viewer', () => {
    expect(newAccount('anna', { role: 'viewer', sees_persons: true })).toEqual({
      login: 'anna',
      role: 'viewer',
      sees_persons: true,
    });
    expect(newAccount('anna', { role: 'analyst', sees_persons: true })).toEqual({
      login: 'anna',
      role: 'analyst',
    });
  });

  it('has a login without spaces', () => {
    expect(isLogin('anna@example.com')).toBe(true);
    expect(isLogin('Анна')).toBe(true);
    expect(isLogin('')).toBe(false);
    expect(isLogin('anna smith')).toBe(false);
    expect(isLogin('a'.repeat(255))).toBe(false);
  });
});

describe('an account', () => {
  it('is disabled since an instant', () => {
    expect(stateOf({ disabled_at: null })).toBe('active');
    expect(stateOf({ disabled_at: '2026-11-27T10:00:00Z' })).toBe('disabled');
  });

  it('has a role that is known', () => {
    expect(roleOf('analyst')).toBe('analyst');
    expect(roleOf('root')).toBeUndefined();
    expect(roleOf(null)).toBeUndefined();
  });
});
