import { Badge } from '@mantine/core';
import type { Schemas } from '../../api/client';
import { parts } from '../../parts/messages';
import { useText } from '../../text';

export function KindBadge({ kind }: { kind: Schemas['Kind'] }) {
  const t = useText(parts);
  return (
    <Badge variant="outline" color="gray" c="var(--mantine-color-text)" tt="none">
      {t(`kind_${kind}`)}
    </Badge>
  );
}
