import { Stack, Text } from '@mantine/core';
import { useText } from '../text';
import { useFormats } from '../text/formats';
import { parts } from './messages';

/** An instant in local time, with UTC beside it. */
export function Instant({ at, inline = false }: { at: string; inline?: boolean }) {
  const formats = useFormats();
  // Within one day the time alone says it.
  const isSameDay = new Date(at).getDate() === new Date(at).getUTCDate();
  const utc = (
    <Text span size="xs" c="dimmed">
      {isSameDay ? formats.utcTime(at) : formats.utc(at)}
    </Text>
  );
  if (inline) {
    return (
      <time dateTime={at}>
        {formats.instant(at)} {utc}
      </time>
    );
  }
  return (
    <time dateTime={at}>
      <Stack gap={0}>
        <Text span size="sm">
          {formats.instant(at)}
        </Text>
        {utc}
      </Stack>
    </time>
  );
}

/** When what is shown was true. `at` in milliseconds, as queries tell it, or as the service says it. */
export function AsOf({ at }: { at: number | string | undefined }) {
  const t = useText(parts);
  const formats = useFormats();
  if (!at) return null;
  return (
    <Text span size="xs" c="dimmed">
      {t('asOf', { time: formats.time(at) })}
    </Text>
  );
}
