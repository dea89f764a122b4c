import { Button, Code, Group, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { download } from '../../parts/files';
import { Instant } from '../../parts/Instant';
import { Page } from '../../parts/Page';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { useAddress } from '../../parts/address';
import { Chain } from './Chain';
import { Filters } from './Filters';
import { audit } from './messages';
import { ActionName, Row, Subject, useReadable } from './RowParts';
import { filtersOf, type Row as AuditRow, type Search } from './rows';

const FORMS = ['csv', 'ndjson', 'xlsx'] as const;

export default function Audit() {
  const t = useText(audit);
  return (
    <Page title={t('title')} about={t('about')} needs="audit.read" actions={<Exports />}>
      <Chain />
      <Log />
    </Page>
  );
}

function Exports() {
  const t = useText(audit);
  const [search] = useAddress<Search>();
  const query = new URLSearchParams(filtersOf(search)).toString();
  return (
    <Group gap="xs" role="group" aria-label={t('exports')}>
      {FORMS.map((form) => (
        <Button
          key={form}
          variant="default"
          title={t('exports')}
          aria-label={t('exportAs', { form: form.toUpperCase() })}
          onClick={() => download(`/api/v1/audit.${form}${query ? `?${query}` : ''}`)}
        >
          {form.toUpperCase()}
        </Button>
      ))}
    </Group>
  );
}

function useColumns(onShow: (row: AuditRow) => void): Column<AuditRow>[] {
  const t = useText(audit);
  const formats = useFormats();
  const told = useReadable();
  return [
    {
      key: 'id',
      title: t('number'),
      width: 'minmax(56px, 80px)',
      cell: (row) => (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={t('show', { id: row.id })}
          onClick={() => onShow(row)}
        >
          {formats.number(row.id)}
        </Button>
      ),
    },
    { key: 'at', title: t('at'), width: 'minmax(110px, 170px)', cell: (row) => <Instant at={row.at} /> },
    { key: 'actor', title: t('actor'), width: 'minmax(90px, 1fr)', isWide: true, cell: (row) => row.actor },
    {
      key: 'action',
      title: t('action'),
      width: 'minmax(120px, 1.2fr)',
      cell: (row) => <ActionName action={row.action} />,
    },
    {
      key: 'subject',
      title: t('subject'),
      width: 'minmax(110px, 1.2fr)',
      isWide: true,
      cell: (row) => <Subject subject={row.subject} />,
    },
    {
      key: 'detail',
      title: t('detail'),
      width: 'minmax(160px, 2fr)',
      isWide: true,
      cell: (row) => <Detail pairs={told(row)} />,
    },
    {
      key: 'hash',
      title: t('hash'),
      width: '110px',
      isWide: true,
      cell: (row) => <Code title={row.hash}>{`${row.hash.slice(0, 10)}…`}</Code>,
    },
  ];
}

function Detail({ pairs }: { pairs: [string, string][] }) {
  const t = useText(audit);
  return (
    <Text size="xs" lineClamp={2} className="breaks" c={pairs.length === 0 ? 'dimmed' : undefined}>
      {pairs.length === 0 ? t('noDetail') : pairs.map(([name, value]) => `${name}: ${value}`).join(' · ')}
    </Text>
  );
}

function Log() {
  const t = useText(audit);
  // Instants take more lines there.
  const isNarrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const [search, change] = useAddress<Search>();
  const [shown, setShown] = useState<AuditRow | null>(null);
  const filters = filtersOf(search);
  const list = useList(['audit', 'list', filters], (cursor) =>
    ok(api.GET('/api/v1/audit', { params: { query: { ...filters, limit: 100, cursor, count: 'exact' } } })),
  );
  const columns = useColumns(setShown);
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <>
      <Filters search={search} change={change} />
      <DataTable
        label={t('title')}
        list={list}
        columns={columns}
        id={(row) => String(row.id)}
        rowHeight={isNarrow ? 76 : 52}
        empty={<Empty title={t('emptyTitle')} about={isFiltered ? t('emptyFiltered') : t('emptyAbout')} />}
      />
      {shown && <Row row={shown} onClose={() => setShown(null)} />}
    </>
  );
}
