import { Button, Group, Stack, Text } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import { useMay } from '../../api/me';
import { useText } from '../../text';
import { useChange } from '../changes';
import { follow, letGo } from '../jobs/followed';
import { isCancellable, isLive, isUndoable, type Job } from '../jobs/job';
import { Counts, Problem, Refusals } from '../jobs/JobPanels';
import { JobLink, ProgressBar, StateBadge } from '../jobs/JobParts';
import { cancelJob, undoJob } from '../jobs/queries';
import { useJob } from '../jobs/useJob';
import { ProblemAlert } from '../ProblemAlert';
import { importing } from './messages';

interface ImportJobProps {
  /** As it was answered. */
  first: Job;
  onUndo?: (job: Job) => void;
  /** What stands below, by how it goes. */
  children?: (job: Job) => ReactNode;
}

/** A trial or an import as it goes on, and what came of it. */
export function ImportJob({ first, onUndo, children }: ImportJobProps) {
  const t = useText(importing);
  const { query } = useJob(String(first.id));
  const job = query.data ?? first;
  const hasEnded = !isLive(job);
  const shown = useRef<HTMLDivElement>(null);
  // It may stand below what is seen of the dialog.
  useEffect(() => shown.current?.scrollIntoView({ block: 'start' }), [hasEnded]);
  const goesOn = !hasEnded && !job.import?.dry_run;
  const leaves = useRef(false);
  useEffect(() => {
    leaves.current = goesOn;
  }, [goesOn]);
  useEffect(() => {
    // Nobody is told of what they look at.
    letGo(first.id);
    return () => {
      if (leaves.current) follow(first.id);
    };
  }, [first.id]);
  return (
    <Stack gap="sm" ref={shown}>
      <Group gap="xs" role="status">
        <Text fw={600}>{titleOf(job, t)}</Text>
        <StateBadge state={job.state} />
        <JobLink id={job.id} label={t('job', { id: job.id })} />
      </Group>
      {!hasEnded && <ProgressBar job={job} />}
      {goesOn && (
        <Text size="xs" c="dimmed">
          {t('goesOn')}
        </Text>
      )}
      <Problem job={job} />
      <Counts job={job} />
      <Refusals job={job} />
      <JobActs job={job} onUndo={onUndo} />
      {children?.(job)}
    </Stack>
  );
}

function titleOf(job: Job, t: (key: 'jobTrial' | 'jobUndo' | 'jobImport') => string): string {
  if (job.kind === 'undo') return t('jobUndo');
  return job.import?.dry_run ? t('jobTrial') : t('jobImport');
}

function JobActs({ job, onUndo }: { job: Job; onUndo: ((job: Job) => void) | undefined }) {
  const t = useText(importing);
  const may = useMay();
  const cancel = useChange({
    act: () => cancelJob(job.id),
    changes: ['jobs'],
  });
  const undo = useChange({
    act: () => undoJob(job.id),
    onDone: (begun) => onUndo?.(begun),
  });
  const canCancel = isCancellable(job);
  const canUndo = onUndo !== undefined && isUndoable(job) && may('segments.manage');
  return (
    <>
      <ProblemAlert error={cancel.error ?? undo.error} />
      {(canCancel || canUndo) && (
        <Group gap="xs">
          {canCancel && (
            <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
              {t('cancelJob')}
            </Button>
          )}
          {canUndo && (
            <Button variant="default" loading={undo.isPending} onClick={() => undo.mutate()}>
              {t('undo')}
            </Button>
          )}
          {canUndo && job.kind !== 'undo' && (
            <Text size="xs" c="dimmed">
              {t('undoHint')}
            </Text>
          )}
        </Group>
      )}
    </>
  );
}
