import { describe, expect, it } from 'vitest';
import { draftOf, isUntouched, patched, patchOf } from './profile';

const before = { name: 'Anna', email: null, attributes: { country: 'UK', orders: 12 } };

describe('an edited profile', () => {
  it('sends only what changed', () => {
    const draft = draftOf(before);
    expect(patchOf(draft, before)).toEqual({});
    expect(patchOf({ ...draft, name: '', email: 'a@example.com' }, before)).toEqual({
      name: null,
      email: 'a@example.com',
    });
    expect(patchOf({ ...draft, rows: draft.rows.slice(1) }, before)).toEqual({
      attributes: { country: null },
    });
  });

  it('keeps what somebody else changed', () => {
    const patch = patchOf({ ...draftOf(before), email: 'a@example.com' }, before);
    const theirs = { name: 'Anna P.', email: null, attributes: { country: 'NO' } };
    expect(patched(theirs, patch)).toEqual({ ...theirs, email: 'a@example.com' });
  });

  it('is touched by a row that is not whole', () => {
    const draft = draftOf(before);
    expect(isUntouched(draft, before)).toBe(true);
    expect(isUntouched({ ...draft, rows: [...draft.rows, { id: 9, key: '', value: '' }] }, before)).toBe(
      false,
    );
  });
});
