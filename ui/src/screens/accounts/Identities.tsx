import { Button, Group, Select, Stack, Table, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../api/client';
import { faultOf } from '../../api/problem';
import { useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { identitiesQuery, providersQuery, useProviderTitle } from '../../parts/queries';
import { useText } from '../../text';
import type { Account } from './roles';
import { accounts } from './messages';

type Identity = Schemas['Identity'];

const TOUCHED = ['accounts', 'audit'];

export function Identities({ account }: { account: Account }) {
  const t = useText(accounts);
  const query = useQuery(identitiesQuery(String(account.id)));
  const providers = useQuery(providersQuery).data?.items;
  return (
    <Panel title={t('identities')}>
      <Text size="sm" c="dimmed">
        {t('identitiesAbout')}
      </Text>
      <Loaded query={query} height={80}>
        {({ items }) => <Linked account={account} items={items} />}
      </Loaded>
      {providers?.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('noProviders')}
        </Text>
      )}
      {providers && providers.length > 0 && <LinkForm account={account} providers={providers} />}
    </Panel>
  );
}

function Linked({ account, items }: { account: Account; items: Identity[] }) {
  const t = useText(accounts);
  const title = useProviderTitle();
  const [leaving, setLeaving] = useState<Identity | null>(null);
  if (items.length === 0) return <Text size="sm">{t('noIdentities')}</Text>;
  return (
    <>
      <Table aria-label={t('identities')} verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('provider')}</Table.Th>
            <Table.Th>{t('subject')}</Table.Th>
            <Table.Th>{t('acts')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((identity) => (
            <Table.Tr key={`${identity.provider}/${identity.subject}`}>
              <Table.Td>{title(identity.provider)}</Table.Td>
              <Table.Td className="breaks">{identity.subject}</Table.Td>
              <Table.Td>
                <Button
                  size="compact-sm"
                  variant="default"
                  aria-label={t('unlinkNamed', { subject: identity.subject })}
                  onClick={() => setLeaving(identity)}
                >
                  {t('unlink')}
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {leaving && <Unlink account={account} identity={leaving} onClose={() => setLeaving(null)} />}
    </>
  );
}

interface UnlinkProps {
  account: Account;
  identity: Identity;
  onClose: () => void;
}

function Unlink({ account, identity, onClose }: UnlinkProps) {
  const t = useText(accounts);
  const title = useProviderTitle();
  const { provider, subject } = identity;
  const change = useChange({
    act: () =>
      ok(
        api.DELETE('/api/v1/accounts/{id}/identities/{provider}/{subject}', {
          params: { path: { id: String(account.id), provider, subject } },
        }),
      ),
    changes: TOUCHED,
    done: () => t('unlinked'),
    onDone: onClose,
  });
  return (
    <Confirm
      title={t('unlinkTitle')}
      act={t('unlink')}
      isDangerous
      isBusy={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate()}
      onClose={onClose}
    >
      <Text size="sm" className="breaks">
        {t('unlinkAbout', { login: account.login, provider: title(provider), subject })}
      </Text>
    </Confirm>
  );
}

function LinkForm({ account, providers }: { account: Account; providers: Schemas['Provider'][] }) {
  const t = useText(accounts);
  const [provider, setProvider] = useState(providers[0]?.provider ?? '');
  const [subject, setSubject] = useState('');
  const change = useChange({
    act: () =>
      ok(
        api.POST('/api/v1/accounts/{id}/identities', {
          params: { path: { id: String(account.id) } },
          body: { provider, subject: subject.trim() },
        }),
      ),
    changes: TOUCHED,
    done: () => t('linked'),
    onDone: () => setSubject(''),
  });
  const isReady = provider !== '' && subject.trim() !== '';
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !change.isPending) change.mutate();
      }}
    >
      <Stack gap="xs">
        <Select
          label={t('provider')}
          data={providers.map((one) => ({ value: one.provider, label: one.title }))}
          value={provider}
          allowDeselect={false}
          onChange={(next) => setProvider(next ?? provider)}
          error={faultOf(change.error, 'provider')}
        />
        <TextInput
          label={t('subject')}
          description={t('subjectHint')}
          value={subject}
          maxLength={255}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setSubject(event.currentTarget.value)}
          error={faultOf(change.error, 'subject')}
        />
        <ProblemAlert error={change.error} />
        <Group>
          <Button type="submit" variant="default" disabled={!isReady} loading={change.isPending}>
            {t('linkIdentity')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
