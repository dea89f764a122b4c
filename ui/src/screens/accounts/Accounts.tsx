import { Button, Group, Select, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { api, ok } from '../../api/client';
import { useMay } from '../../api/me';
import { useAddress } from '../../parts/address';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Instant } from '../../parts/Instant';
import { Page } from '../../parts/Page';
import type * as searches from '../../searches';
import { SettledField } from '../../parts/SettledField';
import { useText } from '../../text';
import { roleOf, ROLES, type Account, type Role } from './roles';
import { AccountLink, AccountState } from './AccountParts';
import { accounts } from './messages';
import { NewAccount } from './NewAccount';

type Search = ReturnType<typeof searches.accounts>;

export default function Accounts() {
  const t = useText(accounts);
  const may = useMay();
  const [search, change] = useAddress<Search>();
  const isAllowed = may('accounts.manage');
  const role = roleOf(search.role);
  const query = search.query ?? '';
  const create = <Button onClick={() => change({ new: true })}>{t('new')}</Button>;
  return (
    <Page title={t('title')} about={t('about')} needs="accounts.manage" actions={create}>
      <Group gap="sm">
        <SearchField query={query} onFind={(next) => change({ query: next })} />
        <Select
          aria-label={t('role')}
          placeholder={t('anyRole')}
          clearable
          clearButtonProps={{ 'aria-label': t('anyRole') }}
          w={190}
          data={ROLES.map((value) => ({ value, label: t(`role_${value}`) }))}
          value={role ?? null}
          onChange={(next) => change({ role: next ?? undefined })}
        />
      </Group>
      <List
        query={query}
        role={role}
        isAllowed={isAllowed}
        create={create}
        onClear={() => change({ query: undefined, role: undefined })}
      />
      {search.new && isAllowed && <NewAccount onClose={() => change({ new: undefined })} />}
    </Page>
  );
}

interface SearchFieldProps {
  query: string;
  onFind: (query: string | undefined) => void;
}

function SearchField({ query, onFind }: SearchFieldProps) {
  const t = useText(accounts);
  return (
    <SettledField
      type="search"
      flex={1}
      miw={200}
      aria-label={t('search')}
      placeholder={t('search')}
      value={query}
      maxLength={200}
      isSearch
      onSettle={(text) => onFind(text || undefined)}
    />
  );
}

interface ListProps {
  query: string;
  role: Role | undefined;
  isAllowed: boolean;
  create: ReactNode;
  onClear: () => void;
}

function List({ query, role, isAllowed, create, onClear }: ListProps) {
  const t = useText(accounts);
  const columns = useColumns();
  const list = useList<Account>(
    ['accounts', 'list', query, role ?? ''],
    (cursor) =>
      ok(
        api.GET('/api/v1/accounts', {
          params: {
            query: {
              limit: 100,
              count: 'exact',
              ...(query ? { query } : {}),
              ...(role ? { role } : {}),
              ...(cursor ? { cursor } : {}),
            },
          },
        }),
      ),
    isAllowed,
  );
  const isFiltered = query !== '' || role !== undefined;
  const empty = isFiltered ? (
    <Empty title={t('foundNone')} about={t('foundNoneAbout')}>
      <Button variant="default" onClick={onClear}>
        {t('clearFilters')}
      </Button>
    </Empty>
  ) : (
    <Empty title={t('emptyTitle')} about={t('emptyAbout')}>
      {create}
    </Empty>
  );
  return (
    <DataTable
      label={t('title')}
      list={list}
      columns={columns}
      id={(account) => String(account.id)}
      rowHeight={52}
      empty={empty}
    />
  );
}

function useColumns(): Column<Account>[] {
  const t = useText(accounts);
  return [
    {
      key: 'login',
      title: t('login'),
      width: 'minmax(130px, 2fr)',
      cell: (account) => (
        <>
          <AccountLink account={account} />
          <Text size="xs" c="dimmed" hiddenFrom="sm">
            {t(`role_${account.role}`)}
          </Text>
        </>
      ),
    },
    {
      key: 'role',
      title: t('role'),
      width: 'minmax(115px, 1fr)',
      isWide: true,
      cell: (account) => <RoleCell account={account} />,
    },
    {
      key: 'state',
      title: t('state'),
      width: 'minmax(90px, 110px)',
      cell: (account) => <AccountState account={account} />,
    },
    {
      key: 'means',
      title: t('means'),
      width: 'minmax(150px, 1fr)',
      isWide: true,
      cell: ({ has_password }) => <Text size="sm">{has_password ? t('meansPassword') : t('meansNone')}</Text>,
    },
    {
      key: 'created',
      title: t('created'),
      width: '172px',
      isWide: true,
      cell: (account) => <Instant at={account.created_at} />,
    },
    {
      key: 'updated',
      title: t('updated'),
      width: '172px',
      isWide: true,
      cell: (account) => <Instant at={account.updated_at} />,
    },
  ];
}

function RoleCell({ account }: { account: Account }) {
  const t = useText(accounts);
  return (
    <Stack gap={0}>
      <Text size="sm">{t(`role_${account.role}`)}</Text>
      {account.role === 'viewer' && account.sees_persons && (
        <Text size="xs" c="dimmed" truncate>
          {t('seesPersonsShort')}
        </Text>
      )}
    </Stack>
  );
}
