import { Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../../api/client';
import { MEMBERSHIPS, useChange } from '../../../parts/changes';
import { Confirm } from '../../../parts/Confirm';
import { DeadlineField, instantOf } from '../../../parts/DeadlineField';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { forEach } from './each';
import { Failures } from './Failures';
import { members } from './messages';
import type { SelectedActProps } from './selected';

export function ChangeDeadline({ slug, ids, onClose, onLeft }: SelectedActProps) {
  const t = useText(members);
  const formats = useFormats();
  const [deadline, setDeadline] = useState('');
  const [reason, setReason] = useState('');
  const expires = instantOf(deadline);
  const change = useChange({
    act: () =>
      forEach(ids, (user_id) =>
        ok(
          api.PUT('/api/v1/segments/{slug}/users/{user_id}', {
            params: { path: { slug, user_id } },
            body: {
              ...(expires ? { expires_at: expires } : {}),
              ...(reason.trim() ? { reason: reason.trim() } : {}),
            },
          }),
        ),
      ),
    changes: MEMBERSHIPS,
    done: ({ done }) => t('deadlineChanged', { count: done.length, shown: formats.number(done.length) }),
    onDone({ failed }) {
      onLeft(failed);
      if (failed.length === 0) onClose();
    },
  });
  return (
    <Confirm
      title={t('changeDeadline')}
      act={t('changeDeadline')}
      isBusy={change.isPending}
      // The service takes a missing deadline for the one that is there.
      isImpossible={expires === undefined}
      error={change.error}
      onConfirm={change.mutate}
      onClose={onClose}
    >
      <Text size="sm">{t('deadlineAbout', { count: ids.length, shown: formats.number(ids.length) })}</Text>
      <DeadlineField value={deadline} onChange={setDeadline} />
      <TextInput
        label={t('reason')}
        description={t('reasonHint')}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Failures outcome={change.data} />
    </Confirm>
  );
}
