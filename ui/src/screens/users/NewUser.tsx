import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { faultOf } from '../../api/problem';
import { MEMBERSHIPS, useChange } from '../../parts/changes';
import { parts } from '../../parts/messages';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { readRows, type AttributeRow } from '../../parts/attributes/attributes';
import { AttributeRows } from '../../parts/attributes/AttributeRows';
import { users } from './messages';

const FIELDS = ['user_id', 'name', 'email', 'attributes'];
const NOTHING = { user_id: '', name: '', email: '', rows: [] as AttributeRow[] };

type Draft = typeof NOTHING;

function useCreate() {
  const t = useText(users);
  const navigate = useNavigate();
  return useChange({
    act: ({ user_id, name, email, rows }: Draft) => {
      const { attributes } = readRows(rows);
      return ok(
        api.POST('/api/v1/users', {
          body: {
            ...(user_id ? { user_id } : {}),
            ...(name ? { name } : {}),
            ...(email ? { email } : {}),
            ...(Object.keys(attributes).length > 0
              ? { attributes: attributes as Record<string, never> }
              : {}),
          },
        }),
      );
    },
    // It joins the distributed segments that have its position.
    changes: MEMBERSHIPS,
    done: (user) => t('wasCreated', { id: user.user_id }),
    onDone: (user) =>
      void navigate({ to: '/users/$userId', params: { userId: user.user_id }, search: {} as never }),
  });
}

/** Makes a user, and goes to them. */
export function NewUser({ onClose }: { onClose: () => void }) {
  const t = useText(users);
  const of = useText(parts);
  const [draft, setDraft] = useState<Draft>(NOTHING);
  const [isTried, setTried] = useState(false);
  const create = useCreate();
  const { faults } = readRows(draft.rows);
  const isUnderFields = FIELDS.some((field) => faultOf(create.error, field));
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('new')}
      size="lg"
      closeButtonProps={{ 'aria-label': of('close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (faults.size === 0 && !create.isPending) create.mutate(draft);
        }}
      >
        <Stack gap="sm">
          <Fields draft={draft} error={create.error} onType={(patch) => setDraft({ ...draft, ...patch })} />
          <AttributeRows
            rows={draft.rows}
            faults={isTried ? faults : new Map()}
            onChange={(rows) => setDraft({ ...draft, rows })}
            error={faultOf(create.error, 'attributes')}
          />
          {!isUnderFields && <ProblemAlert error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {of('cancel')}
            </Button>
            <Button type="submit" loading={create.isPending}>
              {t('create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface FieldsProps {
  draft: Draft;
  error: unknown;
  onType: (patch: Partial<Draft>) => void;
}

function Fields({ draft, error, onType }: FieldsProps) {
  const t = useText(users);
  return (
    <>
      <TextInput
        label={t('userId')}
        description={t('userIdHint')}
        value={draft.user_id}
        onChange={(event) => onType({ user_id: event.currentTarget.value })}
        error={faultOf(error, 'user_id')}
        spellCheck={false}
        autoComplete="off"
        data-autofocus
      />
      <TextInput
        label={t('name')}
        value={draft.name}
        onChange={(event) => onType({ name: event.currentTarget.value })}
        error={faultOf(error, 'name')}
        autoComplete="off"
      />
      <TextInput
        label={t('email')}
        inputMode="email"
        value={draft.email}
        onChange={(event) => onType({ email: event.currentTarget.value })}
        error={faultOf(error, 'email')}
        autoComplete="off"
      />
    </>
  );
}
