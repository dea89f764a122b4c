import { describe, expect, it } from 'vitest';
import { begin, calls, curl, end } from './calls';

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
});
