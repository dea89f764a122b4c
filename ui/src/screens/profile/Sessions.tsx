import { Badge, Button, Group, Table } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../api/client';
import { leave } from '../../api/me';
import { useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useProviderTitle } from '../../parts/queries';
import { useSignOut } from '../../parts/useSignOut';
import { useText } from '../../text';
import { profile } from './messages';

/** Everywhere that somebody is signed in, and how to be no more. */
export function Sessions({ account }: { account: number }) {
  const t = useText(profile);
  const client = useQueryClient();
  const [isAsked, setAsked] = useState(false);
  const sessions = useQuery({
    queryKey: ['sessions', 'mine'],
    queryFn: () => ok(api.GET('/api/v1/accounts/me/sessions')),
  });
  const here = useSignOut();
  const everywhere = useChange({
    act: () => ok(api.POST('/api/v1/accounts/{id}/sign_out', { params: { path: { id: String(account) } } })),
    changes: [],
    onDone: () => leave(client),
  });
  return (
    <Panel title={t('sessions')}>
      <Loaded query={sessions}>{({ items }) => <List items={items} />}</Loaded>
      <ProblemAlert error={here.error} />
      <Group mt="md">
        <Button variant="default" loading={here.isPending} onClick={() => here.mutate()}>
          {t('signOut')}
        </Button>
        <Button variant="outline" color="red" onClick={() => setAsked(true)}>
          {t('signOutAll')}
        </Button>
      </Group>
      {isAsked && (
        <Confirm
          title={t('signOutAllTitle')}
          act={t('signOutAllAct')}
          isDangerous
          isBusy={everywhere.isPending}
          error={everywhere.error}
          onConfirm={() => everywhere.mutate()}
          onClose={() => setAsked(false)}
        >
          {t('signOutAllAbout')}
        </Confirm>
      )}
    </Panel>
  );
}

function List({ items }: { items: Schemas['Session'][] }) {
  const t = useText(profile);
  const title = useProviderTitle();
  const means = (by: string) => (by === 'password' || by === 'link' ? t(`means_${by}`) : title(by));
  return (
    <Table.ScrollContainer minWidth={520}>
      <Table aria-label={t('sessions')} verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('sessionKind')}</Table.Th>
            <Table.Th>{t('means')}</Table.Th>
            <Table.Th>{t('begun')}</Table.Th>
            <Table.Th>{t('ends')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((session) => (
            <Table.Tr key={session.id}>
              <Table.Td>
                {t(session.kind === 'browser' ? 'kind_browser' : 'kind_tokens')}{' '}
                {session.current && <Badge variant="outline">{t('here')}</Badge>}
              </Table.Td>
              <Table.Td>{means(session.means)}</Table.Td>
              <Table.Td>
                <Instant at={session.created_at} />
              </Table.Td>
              <Table.Td>
                <Instant at={session.expires_at} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
