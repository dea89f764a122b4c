import { Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { faultOf } from '../../api/problem';
import { MEMBERSHIPS, useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { useText } from '../../text';
import { user } from './messages';

interface RemoveProps {
  id: string;
  slug: string;
  onClose: () => void;
}

export function RemoveFromSegment({ id, slug, onClose }: RemoveProps) {
  const t = useText(user);
  const [reason, setReason] = useState('');
  const names = { id, segment: slug };
  const remove = useChange({
    act: () =>
      ok(
        api.DELETE('/api/v1/users/{user_id}/segments/{slug}', {
          params: { path: { user_id: id, slug }, query: reason ? { reason } : {} },
        }),
      ),
    changes: MEMBERSHIPS,
    done: (changed) => (changed.removed.length > 0 ? t('removed', names) : t('wasNotIn', names)),
    onDone: onClose,
  });
  const fault = faultOf(remove.error, 'reason');
  return (
    <Confirm
      title={t('removeOf', { segment: slug })}
      act={t('remove')}
      isBusy={remove.isPending}
      error={fault ? null : remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Text size="sm">{t('removeAbout', names)}</Text>
      <TextInput
        label={t('reason')}
        description={t('reasonHint')}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={fault}
        data-autofocus
      />
    </Confirm>
  );
}
