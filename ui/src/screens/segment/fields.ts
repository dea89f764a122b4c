import type { Schemas } from '../../api/client';

type Segment = Schemas['Segment'];

/** What can be edited, as it is typed. */
export interface Draft {
  name: string;
  description: string;
  default_ttl: string;
}

export const DRAFT_FIELDS = ['name', 'description', 'default_ttl'] as const;

export function draftOf(segment: Segment): Draft {
  return {
    name: segment.name,
    description: segment.description,
    default_ttl: segment.default_ttl ?? '',
  };
}

function ttlOf(typed: string): string | number | null {
  const text = typed.trim();
  if (text === '') return null;
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** What of a draft differs from a version; nothing else is sent, so that nothing else is touched. */
export function patchOf(draft: Draft, version: Segment): Schemas['SegmentPatch'] {
  const before = draftOf(version);
  return {
    ...(draft.name === before.name ? {} : { name: draft.name.trim() === '' ? null : draft.name }),
    ...(draft.description === before.description ? {} : { description: draft.description }),
    ...(draft.default_ttl === before.default_ttl ? {} : { default_ttl: ttlOf(draft.default_ttl) }),
  };
}

export function isSame(first: Draft, second: Draft): boolean {
  return DRAFT_FIELDS.every((field) => first[field] === second[field]);
}

/** Kept on what was typed: fields that I left alone become theirs, so that "mine" undoes nothing by accident. */
export function rebased(draft: Draft, base: Segment, theirs: Segment): Draft {
  const [before, now] = [draftOf(base), draftOf(theirs)];
  const field = (name: keyof Draft) => (draft[name] === before[name] ? now[name] : draft[name]);
  return { name: field('name'), description: field('description'), default_ttl: field('default_ttl') };
}
