import { Button, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '../../api/me';
import { useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { useText } from '../../text';
import { isCancellable, isUndoable, type Job } from '../../parts/jobs/job';
import { cancelJob, undoJob } from '../../parts/jobs/queries';
import { jobs } from './messages';

/** What can be done with a job: end it while it goes on, and take it back afterwards. */
export function JobActs({ job }: { job: Job }) {
  const t = useText(jobs);
  const may = useMay();
  const [asked, setAsked] = useState<'cancel' | 'undo' | null>(null);
  const close = () => setAsked(null);
  const canCancel = isCancellable(job);
  const canUndo = isUndoable(job) && may('segments.manage');
  return (
    <>
      {canCancel && (
        <Button variant="default" onClick={() => setAsked('cancel')}>
          {t('cancel')}
        </Button>
      )}
      {canUndo && (
        <Button variant="default" onClick={() => setAsked('undo')}>
          {t('undo')}
        </Button>
      )}
      {asked === 'cancel' && <Cancel job={job} onClose={close} />}
      {asked === 'undo' && <Undo job={job} onClose={close} />}
    </>
  );
}

interface ActProps {
  job: Job;
  onClose: () => void;
}

function Cancel({ job, onClose }: ActProps) {
  const t = useText(jobs);
  const change = useChange({
    act: () => cancelJob(job.id),
    changes: ['jobs', 'reports', 'summary'],
    done: () => t('cancelDone', { id: job.id }),
    onDone: onClose,
  });
  return (
    <Confirm
      title={t('cancelTitle', { id: job.id })}
      act={t('cancel')}
      isDangerous
      isBusy={change.isPending}
      error={change.error}
      onConfirm={change.mutate}
      onClose={onClose}
    >
      <Text size="sm">{t('cancelAbout')}</Text>
      {isUndoable({ ...job, state: 'cancelled' }) && <Text size="sm">{t('cancelUndo')}</Text>}
    </Confirm>
  );
}

function Undo({ job, onClose }: ActProps) {
  const t = useText(jobs);
  const navigate = useNavigate();
  const change = useChange({
    act: () => undoJob(job.id),
    done: (undo) => t('undoBegun', { id: undo.id }),
    onDone(undo) {
      onClose();
      void navigate({ to: '/jobs/$jobId', params: { jobId: String(undo.id) } as never });
    },
  });
  return (
    <Confirm
      title={t('undoTitle', { id: job.id })}
      act={t('undo')}
      isDangerous
      isBusy={change.isPending}
      error={change.error}
      onConfirm={change.mutate}
      onClose={onClose}
    >
      <Text size="sm">{t('undoAbout')}</Text>
      <Text size="sm">{t('undoStays')}</Text>
    </Confirm>
  );
}
