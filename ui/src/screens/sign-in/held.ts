/** What an address holds behind its `#`: the code of a one-time link, or why a provider did not sign somebody in. */
export type Held = { code: string } | { problem: string } | null;

export function heldBy(hash: string): Held {
  const held = hash.replace(/^#/, '');
  if (held === '') return null;
  if (!held.startsWith('problem=')) return { code: held };
  return { problem: held.slice('problem='.length) };
}

const PROBLEMS = [
  'unauthenticated',
  'invalid',
  'conflict',
  'busy',
  'provider_unavailable',
  'provider_not_found',
  'too_many_requests',
] as const;

/** The key of the sentence about a problem; what is not known gets the general one. */
export function sentenceOf(problem: string): (typeof PROBLEMS)[number] | 'unknown' {
  return PROBLEMS.find((known) => known === problem) ?? 'unknown';
}
