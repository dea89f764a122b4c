import { Alert, Anchor, Button, Group, Progress, SimpleGrid, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { RefusalTable } from '../../parts/jobs/JobPanels';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { COUNTS, shareDone } from './importing';
import { users } from './messages';

type Job = Schemas['Job'];

function JobLink({ id }: { id: number }) {
  const t = useText(users);
  return (
    <Anchor component={Link} to="/jobs/$jobId" params={{ jobId: String(id) } as never} size="sm">
      {t('jobLink', { id })}
    </Anchor>
  );
}

interface JobCourseProps {
  job: Job;
  isCancelling: boolean;
  onCancel: () => void;
}

/** What is under way, and how far it is. */
export function JobCourse({ job, isCancelling, onCancel }: JobCourseProps) {
  const t = useText(users);
  const formats = useFormats();
  const isDry = job.import?.dry_run === true;
  const share = shareDone(job.progress);
  const done = formats.number(job.progress.done);
  const { total } = job.progress;
  return (
    <Stack gap="xs">
      <Text size="sm" role="status">
        {isDry ? t('rehearsing') : t('importing')}
      </Text>
      <Progress.Root size="md">
        <Progress.Section
          value={share ?? 100}
          animated
          {...(share === null ? { withAria: false } : { 'aria-label': t('progress') })}
        />
      </Progress.Root>
      <Group justify="space-between">
        <Text size="xs" c="dimmed" className="number">
          {total === null
            ? t('rowsDoneOpen', { done })
            : t('rowsDone', { done, total: formats.number(total) })}
        </Text>
        <Group gap="xs">
          <JobLink id={job.id} />
          <Button size="compact-sm" variant="default" loading={isCancelling} onClick={onCancel}>
            {isDry ? t('cancelRehearsal') : t('cancelJob')}
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}

function useHeadline(job: Job): string {
  const t = useText(users);
  const isDry = job.import?.dry_run === true;
  if (job.state === 'cancelled') return isDry ? t('rehearsalCancelled') : t('wasCancelled');
  if (job.state === 'failed') return isDry ? t('rehearsalFailed') : t('wasFailed');
  return isDry ? t('wouldDo') : t('wasDone');
}

/** What came of it, or would come. */
export function JobOutcome({ job }: { job: Job }) {
  const t = useText(users);
  const formats = useFormats();
  const headline = useHeadline(job);
  const figures = [
    ...COUNTS.map((name) => ({ name: t(`count_${name}`), value: job.counts?.[name] ?? 0 })),
    { name: t('refused'), value: job.refused },
  ];
  return (
    <Stack gap="sm">
      <Alert
        role="status"
        variant="outline"
        color={job.state === 'failed' ? 'red' : job.state === 'cancelled' ? 'orange' : 'teal'}
        title={headline}
      >
        <Group gap="sm">
          {job.problem && (
            <Text size="sm" className="breaks">
              {job.problem}
            </Text>
          )}
          <JobLink id={job.id} />
        </Group>
      </Alert>
      <SimpleGrid component="dl" cols={{ base: 2, sm: 5 }} m={0}>
        {figures.map(({ name, value }) => (
          <div key={name}>
            <Text component="dt" size="xs" c="dimmed">
              {name}
            </Text>
            <Text component="dd" m={0} fw={600} className="number">
              {formats.number(value)}
            </Text>
          </div>
        ))}
      </SimpleGrid>
      {job.refused > 0 && <Refusals job={job} />}
    </Stack>
  );
}

function Refusals({ job }: { job: Job }) {
  const t = useText(users);
  const title = t('refusedRows', { count: job.refused });
  return (
    <Stack gap="xs">
      <Text size="sm">
        {title}. {t('refusedFirst')}
      </Text>
      <RefusalTable label={title} refusals={job.refusals ?? []} mah={240} />
      {job.errors_url && (
        <Anchor href={job.errors_url} download size="sm">
          {t('refusedFile')}
        </Anchor>
      )}
    </Stack>
  );
}
