import { api, ok } from '../../api/client';

export function moveUsers(from: string, to: string, isDry: boolean) {
  return ok(
    api.POST('/api/v1/segments/move_users', {
      params: { query: isDry ? { dry_run: true } : {} },
      body: { from_segment: from, to_segment: to },
    }),
  );
}
