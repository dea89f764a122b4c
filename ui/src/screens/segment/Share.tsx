import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { parts } from '../../parts/messages';
import { NoShare, Share as Given } from '../../parts/share/Share';
import { useText } from '../../text';
import { segment as messages } from './messages';

/** The share of all users, of a segment that can have one. */
export function Share({ segment: { slug, kind, percent } }: { segment: Schemas['Segment'] }) {
  const t = useText(messages);
  const kinds = useText(parts);
  const [settled, setSettled] = useState<number | null>(null);
  if (kind !== 'manual' && kind !== 'percent') {
    return <NoShare why={t('cannotShareAbout', { kind: kinds(`kind_${kind}`) })} />;
  }
  return <Given slug={slug} present={percent ?? null} percent={settled} onSettle={setSettled} />;
}
