import { describe, expect, it } from 'vitest';
import { changesOf, isHeld, isUndoable, shareDone, type Job } from './job';

const progress = (done: number, total: number | null) => ({ done, total, rate: null, eta_seconds: null });

describe('a job', () => {
  it('tells how far it came, when that is known', () => {
    expect(shareDone({ state: 'running', progress: progress(5, 20) })).toBe(25);
    expect(shareDone({ state: 'running', progress: progress(5, null) })).toBeNull();
    expect(shareDone({ state: 'running', progress: progress(0, 0) })).toBe(100);
    expect(shareDone({ state: 'queued', progress: progress(0, null) })).toBe(0);
    expect(shareDone({ state: 'done', progress: progress(20, null) })).toBe(100);
  });

  it('can be undone when it changed memberships and ended', () => {
    const job = { kind: 'import_memberships', state: 'done', import: null } as Job;
    const task = { segment: null, mode: 'add', atomic: false, dry_run: true, create_segments: false };
    expect(isUndoable(job)).toBe(true);
    expect(isUndoable({ ...job, state: 'running' })).toBe(false);
    expect(isUndoable({ ...job, kind: 'import_users' })).toBe(false);
    expect(isUndoable({ ...job, import: task })).toBe(false);
  });

  it('changes what an import makes, moves and completes', () => {
    expect(changesOf({ counts: { created: 2, updated: 3, unchanged: 9, duplicates: 1 } })).toBe(5);
    expect(changesOf({ counts: { added: 1, extended: 2, removed: 4, users_created: 1 } })).toBe(8);
    expect(changesOf({ counts: null })).toBe(0);
  });

  it('has a link that ends', () => {
    const now = Date.parse('2026-11-27T12:00:00Z');
    expect(isHeld('2026-11-27T12:00:01.000000Z', now)).toBe(true);
    expect(isHeld('2026-11-27T12:00:00.000000Z', now)).toBe(false);
  });
});
