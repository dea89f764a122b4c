import { Stack, Text } from '@mantine/core';
import { ProblemAlert } from '../../../parts/ProblemAlert';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import type { Outcome } from './each';
import { members } from './messages';

/** For whom an act did not work, and why. */
export function Failures({ outcome }: { outcome: Outcome | undefined }) {
  const t = useText(members);
  const formats = useFormats();
  if (!outcome || outcome.failed.length === 0) return null;
  const count = outcome.failed.length;
  return (
    <Stack gap="xs">
      <Text size="sm">{t('failedFor', { count, shown: formats.number(count) })}</Text>
      <ProblemAlert error={outcome.error} />
    </Stack>
  );
}
