import { Button, List, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useMay } from '../../api/me';
import { isProblem } from '../../api/problem';
import { isAbout, MEMBERSHIPS, useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { save } from '../../parts/files';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { user } from './messages';
import { userQuery } from './queries';

interface RightsProps {
  id: string;
  /** Of the version that is seen; absent when only history is left. */
  etag: string | undefined;
}

/** What a person may ask for, and the end of a user. */
export function Rights({ id, etag }: RightsProps) {
  const t = useText(user);
  const may = useMay();
  const [asked, setAsked] = useState<'erase' | 'delete' | null>(null);
  const take = useChange({
    // As it came: numbers that JavaScript would round stay as they are.
    act: () =>
      ok(api.GET('/api/v1/users/{user_id}/export', { params: { path: { user_id: id } }, parseAs: 'text' })),
    changes: ['audit'],
    done: () => t('exported', { id }),
    onDone: (person) => save(`${id}.json`, person),
  });
  return (
    <>
      {may('persons.rights') && (
        <>
          <Button variant="default" loading={take.isPending} onClick={() => take.mutate()}>
            {t('export')}
          </Button>
          <Button variant="outline" color="red" onClick={() => setAsked('erase')}>
            {t('erase')}
          </Button>
        </>
      )}
      {may('segments.manage') && etag !== undefined && (
        <Button variant="outline" color="red" onClick={() => setAsked('delete')}>
          {t('delete')}
        </Button>
      )}
      <ProblemAlert error={take.error} />
      {asked !== null && (
        <End id={id} etag={etag} isErasing={asked === 'erase'} onClose={() => setAsked(null)} />
      )}
    </>
  );
}

function useEnd(id: string, etag: string | undefined, isErasing: boolean) {
  const t = useText(user);
  const client = useQueryClient();
  const navigate = useNavigate();
  const forget = async () => {
    await navigate({ to: '/users', search: {} as never });
    // Nothing of who was erased stays in this browser's memory.
    client.removeQueries({
      predicate: (query) => isAbout(MEMBERSHIPS)(query) && query.queryKey.includes(id),
      type: 'inactive',
    });
    await client.invalidateQueries({ predicate: isAbout(MEMBERSHIPS) });
  };
  return useChange({
    async act() {
      const params = {
        path: { user_id: id },
        query: isErasing ? { erase: true } : {},
        header: etag === undefined ? {} : { 'If-Match': etag },
      };
      try {
        await ok(api.DELETE('/api/v1/users/{user_id}', { params }));
      } catch (error) {
        // What is there now is shown before somebody decides again.
        if (isProblem(error, 412)) await client.invalidateQueries(userQuery(id));
        throw error;
      }
    },
    changes: ['audit'],
    done: () => (isErasing ? t('erased') : t('deleted', { id })),
    onDone: () => void forget(),
  });
}

interface EndProps extends RightsProps {
  isErasing: boolean;
  onClose: () => void;
}

function End({ id, etag, isErasing, onClose }: EndProps) {
  const t = useText(user);
  const end = useEnd(id, etag, isErasing);
  return (
    <Confirm
      title={isErasing ? t('eraseTitle', { id }) : t('deleteTitle', { id })}
      act={isErasing ? t('eraseAct') : t('deleteAct')}
      word={id}
      isDangerous
      isBusy={end.isPending}
      error={end.error}
      onConfirm={() => end.mutate()}
      onClose={onClose}
    >
      {isErasing ? <EraseAbout /> : <Text size="sm">{t('deleteAbout')}</Text>}
    </Confirm>
  );
}

function EraseAbout() {
  const t = useText(user);
  return (
    <Stack gap="xs">
      <Text size="sm">{t('eraseAbout')}</Text>
      <List size="sm">
        <List.Item>{t('eraseProfile')}</List.Item>
        <List.Item>{t('eraseMemberships')}</List.Item>
        <List.Item>{t('eraseHistory')}</List.Item>
        <List.Item>{t('eraseId')}</List.Item>
      </List>
    </Stack>
  );
}
