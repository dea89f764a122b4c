import { describe, expect, it } from 'vitest';
import { draftOf, isSame, patchOf, rebased } from './fields';

const SEGMENT = {
  slug: 'SALE',
  name: 'Sale',
  description: 'autumn',
  default_ttl: 'P30D',
  kind: 'manual' as const,
  percent: null,
  seed: '00',
  version: 3,
  created_at: '2026-11-20T12:00:00.000000Z',
  updated_at: '2026-11-20T12:00:00.000000Z',
};

describe('a draft of a segment', () => {
  it('sends only what differs', () => {
    const draft = draftOf(SEGMENT);
    expect(patchOf(draft, SEGMENT)).toEqual({});
    expect(patchOf({ ...draft, description: '' }, SEGMENT)).toEqual({ description: '' });
  });

  it('takes a name and a term away by nothing', () => {
    const draft = { ...draftOf(SEGMENT), name: ' ', default_ttl: '' };
    expect(patchOf(draft, SEGMENT)).toEqual({ name: null, default_ttl: null });
  });

  it('sends seconds as a number', () => {
    expect(patchOf({ ...draftOf(SEGMENT), default_ttl: '3600' }, SEGMENT)).toEqual({ default_ttl: 3600 });
    expect(patchOf({ ...draftOf(SEGMENT), default_ttl: 'PT1H' }, SEGMENT)).toEqual({ default_ttl: 'PT1H' });
  });

  it('keeps what was typed over another version, and theirs of the rest', () => {
    const mine = { ...draftOf(SEGMENT), name: 'Mine' };
    const theirs = { ...SEGMENT, name: 'Theirs', description: 'winter', version: 4 };
    expect(rebased(mine, SEGMENT, theirs)).toEqual({
      name: 'Mine',
      description: 'winter',
      default_ttl: 'P30D',
    });
    expect(isSame(mine, draftOf(SEGMENT))).toBe(false);
    expect(isSame(draftOf(SEGMENT), draftOf(SEGMENT))).toBe(true);
  });
});
