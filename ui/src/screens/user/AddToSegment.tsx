import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { faultOf } from '../../api/problem';
import { MEMBERSHIPS, useChange } from '../../parts/changes';
import { DeadlineField, instantOf } from '../../parts/DeadlineField';
import { parts } from '../../parts/messages';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { SegmentSelect } from '../../parts/SegmentSelect';
import { useText } from '../../text';
import { user } from './messages';

interface Addition {
  slug: string;
  deadline: string;
  reason: string;
}

function useAdd(id: string, onClose: () => void) {
  const t = useText(user);
  return useChange({
    act: ({ slug, deadline, reason }: Addition) => {
      const expires_at = instantOf(deadline);
      return ok(
        api.POST('/api/v1/users/{user_id}/segments/{slug}', {
          params: { path: { user_id: id, slug } },
          body: { ...(expires_at ? { expires_at } : {}), ...(reason ? { reason } : {}) },
        }),
      );
    },
    changes: MEMBERSHIPS,
    done: (changed, { slug }) => {
      const names = { id, segment: slug };
      if (changed.added.length > 0) return t('added', names);
      return changed.extended?.length ? t('extended', names) : t('unchanged', names);
    },
    onDone: onClose,
  });
}

export function AddToSegment({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useText(user);
  const of = useText(parts);
  const [slug, setSlug] = useState<string | null>(null);
  const [deadline, setDeadline] = useState('');
  const [reason, setReason] = useState('');
  const add = useAdd(id, onClose);
  const fault = (field: string) => faultOf(add.error, field);
  return (
    <Modal opened onClose={onClose} title={t('add')} closeButtonProps={{ 'aria-label': of('close') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (slug !== null && !add.isPending) add.mutate({ slug, deadline, reason });
        }}
      >
        <Stack gap="sm">
          <SegmentSelect label={t('segment')} value={slug} onChange={setSlug} error={fault('slug')} />
          <DeadlineField value={deadline} onChange={setDeadline} error={fault('expires_at')} />
          <TextInput
            label={t('reason')}
            description={t('reasonHint')}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={fault('reason')}
          />
          {!['slug', 'expires_at', 'reason'].some(fault) && <ProblemAlert error={add.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {of('cancel')}
            </Button>
            <Button type="submit" disabled={slug === null} loading={add.isPending}>
              {t('addAct')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
