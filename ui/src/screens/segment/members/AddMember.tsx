import { Autocomplete, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../../api/client';
import { faultOf } from '../../../api/problem';
import { MEMBERSHIPS, useChange } from '../../../parts/changes';
import { DeadlineField, instantOf } from '../../../parts/DeadlineField';
import { parts } from '../../../parts/messages';
import { ProblemAlert } from '../../../parts/ProblemAlert';
import { segmentQuery, userChoices } from '../../../parts/queries';
import { useText } from '../../../text';
import { members } from './messages';

interface AddMemberProps {
  slug: string;
  onClose: () => void;
}

interface Values {
  user: string;
  deadline: string;
  reason: string;
}

function useAdd({ slug, onClose }: AddMemberProps) {
  const t = useText(members);
  return useChange({
    act({ user, deadline, reason }: Values) {
      const expires = instantOf(deadline);
      return ok(
        api.PUT('/api/v1/segments/{slug}/users/{user_id}', {
          params: { path: { slug, user_id: user } },
          body: { ...(expires ? { expires_at: expires } : {}), ...(reason ? { reason } : {}) },
        }),
      );
    },
    changes: MEMBERSHIPS,
    done: ({ unchanged, extended }, { user }) => {
      if (unchanged.includes(slug)) return t('wasIn', { user });
      return extended?.includes(slug) ? t('deadlineChangedOf', { user }) : t('added', { user });
    },
    onDone: onClose,
  });
}

export function AddMember(props: AddMemberProps) {
  const t = useText(members);
  const of = useText(parts);
  const [user, setUser] = useState('');
  const [deadline, setDeadline] = useState('');
  const [reason, setReason] = useState('');
  const [settled] = useDebouncedValue(user.trim(), 150);
  const found = useQuery(userChoices(settled));
  const ttl = useQuery(segmentQuery(props.slug)).data?.value.default_ttl;
  const add = useAdd(props);
  const fault = (field: string) => faultOf(add.error, field);
  const isUnderFields = ['user_id', 'expires_at', 'reason'].some(fault);
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={t('addTitle', { slug: props.slug })}
      closeButtonProps={{ 'aria-label': of('close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate({ user: user.trim(), deadline, reason: reason.trim() });
        }}
      >
        <Stack>
          <Autocomplete
            label={t('userId')}
            description={t('userIdHint')}
            value={user}
            onChange={setUser}
            // Before somebody typed they would only cover the fields below.
            data={user.trim() === '' ? [] : (found.data?.items.map((one) => one.user_id) ?? [])}
            filter={({ options }) => options}
            error={fault('user_id')}
            required
            spellCheck={false}
            data-autofocus
          />
          {ttl && deadline === '' && (
            <Text size="sm" c="dimmed">
              {t('defaultTtl', { ttl })}
            </Text>
          )}
          <DeadlineField value={deadline} onChange={setDeadline} error={fault('expires_at')} />
          <TextInput
            label={t('reason')}
            description={t('reasonHint')}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={fault('reason')}
          />
          {!isUnderFields && <ProblemAlert error={add.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              {of('cancel')}
            </Button>
            <Button type="submit" loading={add.isPending} disabled={user.trim() === ''}>
              {t('add')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
