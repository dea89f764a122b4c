import type { Schemas } from '../../api/client';

type Job = Schemas['Job'];

export const COUNTS = ['created', 'updated', 'unchanged', 'duplicates'] as const;

/** How many users a file would make or change. */
export function changesOf({ counts }: Pick<Job, 'counts'>): number {
  return (counts?.created ?? 0) + (counts?.updated ?? 0);
}

/** Of 0..100; null when nobody knows how much there is. */
export function shareDone({ done, total }: Pick<Job['progress'], 'done' | 'total'>): number | null {
  if (total === null || total === 0) return null;
  return Math.min(100, (done / total) * 100);
}
