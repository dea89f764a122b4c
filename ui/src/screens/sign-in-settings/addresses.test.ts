import { describe, expect, it } from 'vitest';
import { callbackOf, ofKind, variableOf } from './addresses';

describe('addresses of providers', () => {
  it('lead back to where the service is reached from outside', () => {
    expect(callbackOf('https://strata.example.com/', 'http://127.0.0.1:8080', 'oidc')).toBe(
      'https://strata.example.com/api/v1/auth/providers/oidc/callback',
    );
    expect(callbackOf(null, 'http://127.0.0.1:8080', 'yandex')).toBe(
      'http://127.0.0.1:8080/api/v1/auth/providers/yandex/callback',
    );
  });

  it('are of settings that have a variable each', () => {
    expect(variableOf('sign_up_domains')).toBe('STRATA_SIGN_UP_DOMAINS');
  });

  it('leave out no provider', () => {
    const all = ['yandex', 'oidc', 'other'].map((kind) => ({ kind, provider: kind, title: kind }));
    expect([...ofKind(all, 'yandex'), ...ofKind(all, 'oidc'), ...ofKind(all, null)]).toEqual(all);
  });
});
