import type { Schemas } from '../../api/client';

export type Job = Schemas['Job'];

export const KINDS: Schemas['JobKind'][] = [
  'import_memberships',
  'import_users',
  'import_segments',
  'undo',
  'report',
  'retention',
  'stale_segments',
  'demo',
];
export const STATES: Schemas['JobState'][] = ['queued', 'running', 'done', 'failed', 'cancelled'];

export function isLive({ state }: { state: Schemas['JobState'] }): boolean {
  return state === 'queued' || state === 'running';
}

export function isCancellable(job: Job): boolean {
  return isLive(job) && job.cancelled_by === null;
}

/** The service takes back what a job did to memberships, once the job ended; a dry run did nothing. */
export function isUndoable(job: Job): boolean {
  const isKind = job.kind === 'import_memberships' || job.kind === 'undo';
  return isKind && !isLive(job) && !job.import?.dry_run;
}

/** Of 0..100; null when nobody knows how much there is. */
export function shareDone({ state, progress }: Pick<Job, 'state' | 'progress'>): number | null {
  if (state === 'done') return 100;
  if (state === 'queued') return 0;
  if (progress.total === null) return null;
  return progress.total === 0 ? 100 : Math.min(100, (progress.done / progress.total) * 100);
}

export function isHeld(expiresAt: string, now = Date.now()): boolean {
  return Date.parse(expiresAt) > now;
}

const CHANGES = ['added', 'extended', 'removed', 'created', 'updated', 'users_created', 'segments_created'];

/** How much an import changes, or would change. */
export function changesOf({ counts }: { counts?: Record<string, number> | null }): number {
  return CHANGES.reduce((sum, name) => sum + (counts?.[name] ?? 0), 0);
}
