import type { Schemas } from '../../api/client';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { user } from './messages';

const SOURCES = ['manual', 'percent', 'import', 'move', 'rule', 'model', 'expiry'] as const;

/** By what something happened, in words. */
export function useSource(): (source: string) => string {
  const t = useText(user);
  return (source) => {
    const known = SOURCES.find((one) => one === source);
    return known ? t(`source_${known}`) : source;
  };
}

/** An instant in local time and in UTC, in plain text. */
export function useBoth(): (iso: string) => string {
  const t = useText(user);
  const formats = useFormats();
  return (iso) => t('both', { local: formats.instant(iso), utc: formats.utc(iso) });
}

type Answer = Pick<Schemas['Why'], 'is_member' | 'membership' | 'history'>;

/** Which sentence says it, and by what. */
export type Verdict =
  | { says: 'in'; by: Schemas['MembershipDetails'] }
  | { says: 'out'; by: Schemas['HistoryRow'] }
  | { says: 'expired'; at: string }
  | { says: 'never' | 'not' };

export function verdictOf({ is_member, membership, history }: Answer, now: number): Verdict {
  if (is_member && membership) return { says: 'in', by: membership };
  const [last] = history;
  if (!last) return { says: 'never' };
  if (last.operation === 'remove') {
    return last.source === 'expiry' ? { says: 'expired', at: last.timestamp } : { says: 'out', by: last };
  }
  // Its deadline came, and nobody wrote that down yet.
  const isDue = last.expires_at !== null && Date.parse(last.expires_at) <= now;
  return isDue ? { says: 'expired', at: last.expires_at ?? '' } : { says: 'not' };
}
