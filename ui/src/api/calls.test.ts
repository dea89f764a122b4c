import { describe, expect, it } from 'vitest';
import { answered, begin, calls, curl, end, withoutSecrets } from './calls';

describe('calls', () => {
  it('become a line of curl that a shell reads as it is meant', () => {
    const call = {
      method: 'POST',
      path: '/api/v1/segments?dry_run=true',
      body: `{"slug":"VIP","name":"O'Hara's"}`,
      contentType: 'application/json',
    };
    expect(curl(call, 'http://127.0.0.1:8080')).toBe(
      `curl -X POST -H "Authorization: Bearer $STRATA_TOKEN" -H 'Content-Type: application/json' --data-binary '{"slug":"VIP","name":"O'\\''Hara'\\''s"}' 'http://127.0.0.1:8080/api/v1/segments?dry_run=true'`,
    );
  });

  it('keep no password', () => {
    begin('POST', '/api/v1/auth/session', '{"password":"secret"}', 'application/json');
    begin('PUT', '/api/v1/accounts/me/password', '{"password":"secret"}', 'application/json');
    expect(JSON.stringify(calls.get())).not.toContain('secret');
  });

  it('are the latest first, with what came of them', () => {
    const id = begin('GET', '/api/v1/users', null, null);
    end(id, 200, 'r-1');
    expect(calls.get()[0]).toMatchObject({ path: '/api/v1/users', status: 200, requestId: 'r-1' });
  });

  it('keep no token that an answer tells once, however it is written', () => {
    const id = begin('POST', '/api/v1/tokens', '{"name":"shop"}', 'application/json');
    answered(id, '{"name":"shop","token" : "strata_a\\"b","csrf_token":"c"}');
    expect(calls.get()[0]?.answer).toBe('{"name":"shop","token" : "…","csrf_token":"…"}');
    expect(withoutSecrets('{"link":"https://cut')).toBe('{"link":"…"');
    expect(withoutSecrets('{"token_type":"Bearer","link_hours":24}')).toBe(
      '{"token_type":"Bearer","link_hours":24}',
    );
  });

  it('keep no answer about sessions', () => {
    const id = begin('POST', '/api/v1/auth/token', null, null);
    answered(id, '{"anything":"at all"}');
    expect(calls.get()[0]?.answer).toBeNull();
  });
});
