import { api, ok } from '../../api/client';

/** A share as the service takes it: 0 to 100 with at most 4 decimals; null for what is none. */
export function shareOf(typed: string | number): number | null {
  if (typeof typed === 'string' && typed.trim() === '') return null;
  const value = Number(typed);
  if (!Number.isFinite(value) || value < 0 || value > 100) return null;
  return Math.round(value * 10_000) / 10_000;
}

export function distribute(slug: string, percent: number, isDry: boolean) {
  return ok(
    api.POST('/api/v1/segments/{slug}/distribute', {
      params: { path: { slug }, query: isDry ? { dry_run: true } : {} },
      body: { percent },
    }),
  );
}
