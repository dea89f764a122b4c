import { Anchor, Badge, Group, Progress, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { isLive, shareDone, type Job } from './job';
import { jobParts } from './messages';

const LOOKS: Record<Schemas['JobState'], { color: string; sign: string }> = {
  queued: { color: 'gray', sign: '○' },
  running: { color: 'blue', sign: '▶' },
  done: { color: 'teal', sign: '✓' },
  failed: { color: 'red', sign: '✕' },
  cancelled: { color: 'orange', sign: '■' },
};

export function StateBadge({ state }: { state: Schemas['JobState'] }) {
  const t = useText(jobParts);
  const { color, sign } = LOOKS[state];
  return (
    <Badge
      color={color}
      variant="outline"
      tt="none"
      c="var(--mantine-color-text)"
      leftSection={<span aria-hidden>{sign}</span>}
    >
      {t(`state_${state}`)}
    </Badge>
  );
}

export function JobLink({ id, label }: { id: number; label?: string }) {
  return (
    <Anchor component={Link} to="/jobs/$jobId" params={{ jobId: String(id) } as never} size="sm">
      {label ?? id}
    </Anchor>
  );
}

/** A bar where it is known how much there is, and always the numbers. */
export function ProgressBar({ job, size = 'sm' }: { job: Job; size?: string }) {
  const t = useText(jobParts);
  const formats = useFormats();
  const { done, total } = job.progress;
  const share = shareDone(job);
  const label = t('progressOf', { id: job.id });
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress.Root size={size} flex={1} miw={50}>
        <Progress.Section
          value={share ?? 100}
          animated={isLive(job) && job.state === 'running'}
          striped={share === null}
          {...(share === null ? { withAria: false } : { 'aria-label': label })}
        />
      </Progress.Root>
      <Text span size="xs" c="dimmed" className="number">
        {total === null
          ? t('rowsDoneOpen', { done: formats.number(done) })
          : t('rowsDone', { done: formats.number(done), total: formats.number(total) })}
      </Text>
    </Group>
  );
}
