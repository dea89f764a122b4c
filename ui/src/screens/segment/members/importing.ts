import { api, ok } from '../../../api/client';
import { instantOf } from '../../../parts/DeadlineField';
import { csv } from '../../../parts/importing/file';
import type { Job } from '../../../parts/jobs/job';

export const MODES = ['add', 'remove', 'replace'] as const;
export type Mode = (typeof MODES)[number];

/** As somebody fills them in. */
export interface Options {
  mode: Mode;
  isAtomic: boolean;
  ttl: string;
  deadline: string;
  reason: string;
}

export const FIRST: Options = { mode: 'add', isAtomic: false, ttl: '', deadline: '', reason: '' };

export interface Query {
  mode?: Mode;
  atomic?: boolean;
  dry_run?: boolean;
  ttl?: string;
  expires_at?: string;
  reason?: string;
}

/** What the service is asked for: it takes a time to live or a deadline, and neither of those who leave. */
export function queryOf({ mode, isAtomic, ttl, deadline, reason }: Options): Query {
  const expires = instantOf(deadline);
  const until = ttl.trim() ? { ttl: ttl.trim() } : expires ? { expires_at: expires } : {};
  return {
    mode,
    ...(isAtomic ? { atomic: true } : {}),
    ...(mode === 'remove' ? {} : until),
    ...(reason.trim() ? { reason: reason.trim() } : {}),
  };
}

export function sendFile(slug: string, file: Blob, query: Query, signal?: AbortSignal): Promise<Job> {
  return ok(
    api.POST('/api/v1/segments/{slug}/users/import', {
      params: { path: { slug }, query },
      ...csv(file),
      ...(signal ? { signal } : {}),
    }),
  );
}
