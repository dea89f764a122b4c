import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { isProblem } from '../api/problem';
import { useStore } from '../api/store';
import { followed, letGo } from '../parts/jobs/followed';
import { isLive } from '../parts/jobs/job';
import { jobParts } from '../parts/jobs/messages';
import { useJob } from '../parts/jobs/useJob';
import { parts } from '../parts/messages';
import { Told } from '../parts/Told';
import { useText } from '../text';

const COLORS: Record<string, string> = { failed: 'red.9', cancelled: 'orange.9' };

/** What becomes of jobs that go on while somebody does something else. */
export default function Followed() {
  return useStore(followed).map((id) => <One key={id} id={id} />);
}

function One({ id }: { id: number }) {
  const t = useText(jobParts);
  const of = useText(parts);
  const client = useQueryClient();
  const { query } = useJob(String(id));
  const job = query.data;
  const hasEnded = job !== undefined && !isLive(job);
  const isLost = isProblem(query.error, 404);
  useEffect(() => {
    if (!hasEnded && !isLost) return;
    letGo(id);
    if (!job || !hasEnded) return;
    // It may have ended before it was asked for.
    void client.invalidateQueries();
    notifications.show({
      title: t('ended', { kind: t(`kind_${job.kind}`), id, state: t(`state_${job.state}`) }),
      message: job.problem ? (
        <Told text={job.problem} />
      ) : job.refused > 0 ? (
        t('endedRefused', { count: job.refused })
      ) : null,
      color: COLORS[job.state] ?? 'teal.9',
      autoClose: job.state === 'done' ? 6_000 : false,
      closeButtonProps: { 'aria-label': of('close') },
    });
  }, [client, hasEnded, id, isLost, job, of, t]);
  return null;
}
