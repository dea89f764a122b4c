import { Button, Menu, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { api, ok, type Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { download } from '../../parts/files';
import { Instant } from '../../parts/Instant';
import { Page } from '../../parts/Page';
import { UserLink } from '../../parts/SegmentLink';
import { SettledField } from '../../parts/SettledField';
import { useText } from '../../text';
import { useAddress } from './address';
import { inShort } from '../../parts/attributes/attributes';
import { ImportUsers } from './ImportUsers';
import { users } from './messages';
import { NewUser } from './NewUser';

type Row = Schemas['User'];

const FORMS = [
  ['csv', 'CSV'],
  ['ndjson', 'NDJSON'],
  ['xlsx', 'XLSX'],
] as const;

export default function Users() {
  const t = useText(users);
  const may = useMay();
  const [search, change] = useAddress();
  const mayManage = may('segments.manage');
  const mayImport = mayManage && may('persons.read');
  const query = search.query ?? '';
  const create = mayManage && <Button onClick={() => change({ new: true })}>{t('new')}</Button>;
  const bring = mayImport && (
    <Button variant="default" onClick={() => change({ import: true })}>
      {t('import')}
    </Button>
  );
  return (
    <Page
      title={t('title')}
      about={t('about')}
      needs="segments.read"
      actions={
        <>
          {may('data.export') && may('persons.read') && <ExportMenu query={query} />}
          {bring}
          {create}
        </>
      }
    >
      <SearchField query={query} onFind={(next) => change({ query: next })} />
      <List
        query={query}
        onClear={() => change({ query: undefined })}
        acts={
          <>
            {bring}
            {create}
          </>
        }
      />
      {search.new && mayManage && <NewUser onClose={() => change({ new: undefined })} />}
      {search.import && mayImport && <ImportUsers onClose={() => change({ import: undefined })} />}
    </Page>
  );
}

function ExportMenu({ query }: { query: string }) {
  const t = useText(users);
  const asked = query ? `?${new URLSearchParams({ query }).toString()}` : '';
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default">{t('export')}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMS.map(([form, label]) => (
          <Menu.Item key={form} onClick={() => download(`/api/v1/users.${form}${asked}`)}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface SearchFieldProps {
  query: string;
  onFind: (query: string | undefined) => void;
}

function SearchField({ query, onFind }: SearchFieldProps) {
  const t = useText(users);
  const may = useMay();
  const label = may('persons.read') ? t('search') : t('searchById');
  return (
    <SettledField
      type="search"
      aria-label={label}
      placeholder={label}
      value={query}
      maxLength={200}
      isSearch
      onSettle={(text) => onFind(text || undefined)}
    />
  );
}

interface ListProps {
  query: string;
  onClear: () => void;
  acts: ReactNode;
}

function List({ query, onClear, acts }: ListProps) {
  const t = useText(users);
  const columns = useColumns();
  const list = useList<Row>(['users', 'list', query], (cursor) =>
    ok(
      api.GET('/api/v1/users', {
        params: {
          query: {
            limit: 200,
            ...(query ? { query } : {}),
            // To count what a part of a name fits, all users would be read with each letter.
            ...(cursor ? { cursor } : query ? {} : { count: 'exact' }),
          },
        },
      }),
    ),
  );
  return (
    <DataTable
      label={t('title')}
      list={list}
      columns={columns}
      id={(row) => row.user_id}
      rowHeight={50}
      empty={
        query ? (
          <Empty title={t('nothing')} about={t('nothingAbout', { query })}>
            <Button variant="default" onClick={onClear}>
              {t('clear')}
            </Button>
          </Empty>
        ) : (
          <Empty title={t('empty')} about={t('emptyAbout')}>
            {acts}
          </Empty>
        )
      }
    />
  );
}

function useColumns(): Column<Row>[] {
  const t = useText(users);
  const may = useMay();
  const cut = (text: string | null) => (
    <Text size="sm" truncate title={text ?? ''}>
      {text}
    </Text>
  );
  const persons: Column<Row>[] = [
    { key: 'name', title: t('name'), width: 'minmax(100px, 1.4fr)', cell: (row) => cut(row.name) },
    { key: 'email', title: t('email'), width: '1.6fr', isWide: true, cell: (row) => cut(row.email) },
    {
      key: 'attributes',
      title: t('attributes'),
      width: '2fr',
      isWide: true,
      cell: (row) => cut(inShort(row.attributes)),
    },
  ];
  return [
    {
      key: 'id',
      title: t('userId'),
      width: 'minmax(110px, 1.2fr)',
      cell: (row) => <UserLink id={row.user_id} />,
    },
    ...(may('persons.read') ? persons : []),
    {
      key: 'created',
      title: t('created'),
      width: '185px',
      isWide: true,
      cell: (row) => <Instant at={row.created_at} />,
    },
  ];
}
