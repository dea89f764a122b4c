import { Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../../api/client';
import { useMay } from '../../../api/me';
import { MEMBERSHIPS, useChange } from '../../../parts/changes';
import { Confirm } from '../../../parts/Confirm';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { forEach, type Outcome } from './each';
import { follow } from '../../../parts/jobs/followed';
import { isLive } from '../../../parts/jobs/job';
import { jobQuery } from '../../../parts/jobs/queries';
import { Failures } from './Failures';
import { sendFile } from './importing';
import { members } from './messages';
import { fileOf } from './ids';
import type { SelectedActProps } from './selected';

/** More than so many are removed at once by a file. */
const ONE_BY_ONE_MAX = 20;

type Result = Outcome & { job?: Schemas['Job'] };

async function removeAll(slug: string, ids: string[], reason: string, mayImport: boolean): Promise<Result> {
  const why = reason ? { reason } : {};
  if (ids.length > ONE_BY_ONE_MAX && mayImport) {
    const job = await sendFile(slug, new Blob([fileOf(ids)]), { mode: 'remove', ...why });
    return { done: ids, failed: [], error: null, job };
  }
  return forEach(ids, (user_id) =>
    ok(
      api.DELETE('/api/v1/segments/{slug}/users/{user_id}', {
        params: { path: { slug, user_id }, query: why },
      }),
    ),
  );
}

export function Remove({ slug, ids, onClose, onLeft }: SelectedActProps) {
  const t = useText(members);
  const formats = useFormats();
  const may = useMay();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const remove = useChange({
    act: () => removeAll(slug, ids, reason.trim(), may('segments.manage')),
    changes: [...MEMBERSHIPS, 'jobs'],
    done({ done, job }) {
      if (job && job.state !== 'done') return isLive(job) ? t('removeBegun', { id: job.id }) : '';
      const count = job?.counts?.removed ?? done.length;
      return t('removed', { count, shown: formats.number(count) });
    },
    onDone({ failed, job }) {
      // What becomes of it is told when it ends, or at once when it has ended badly.
      if (job && job.state !== 'done') {
        client.setQueryData(jobQuery(job.id).queryKey, job);
        follow(job.id);
      }
      onLeft(failed);
      if (failed.length === 0) onClose();
    },
  });
  return (
    <Confirm
      title={t('removeTitle', { slug })}
      act={t('remove')}
      isDangerous
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={remove.mutate}
      onClose={onClose}
    >
      <Text size="sm">{t('removeAbout', { count: ids.length, shown: formats.number(ids.length) })}</Text>
      <Text size="sm" c="dimmed" className="breaks">
        {formats.list([...ids.slice(0, 10), ...(ids.length > 10 ? ['…'] : [])])}
      </Text>
      <TextInput
        label={t('reason')}
        description={t('reasonHint')}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        data-autofocus
      />
      <Failures outcome={remove.data} />
    </Confirm>
  );
}
