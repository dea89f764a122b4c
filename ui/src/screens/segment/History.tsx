import { Button, Group, Stack, Text } from '@mantine/core';
import { api, ok, type Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { download } from '../../parts/files';
import { Instant } from '../../parts/Instant';
import { UserLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useAddress } from './address';
import { Diff } from './Diff';
import { Filters } from './Filters';
import { segment as messages } from './messages';
import { filtersOf, historyFile, type HistoryFilters } from './period';

type Row = Schemas['HistoryRow'];

export function History({ slug }: { slug: string }) {
  const [search, change] = useAddress();
  const filters = filtersOf(search);
  const clear = () => change({ user_id: undefined, month: undefined, from: undefined, to: undefined });
  return (
    <Stack>
      <Filters filters={filters} onChange={change} onClear={clear} />
      <Rows slug={slug} filters={filters} onClear={clear} />
      <Diff slug={slug} filters={filters} />
    </Stack>
  );
}

interface RowsProps {
  slug: string;
  filters: HistoryFilters;
  onClear: () => void;
}

function Rows({ slug, filters, onClear }: RowsProps) {
  const t = useText(messages);
  const may = useMay();
  const columns = useColumns();
  const list = useList<Row>(['history', 'segment', slug, filters], (cursor) =>
    ok(
      api.GET('/api/v1/history', {
        params: {
          query: { segment: slug, sort: '-timestamp', limit: 200, ...filters, ...(cursor ? { cursor } : {}) },
        },
      }),
    ),
  );
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <Stack gap="xs">
      {may('data.export') && (
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={() => download(historyFile('csv', slug, filters))}>
            {t('saveCsv')}
          </Button>
          <Button size="xs" variant="default" onClick={() => download(historyFile('xlsx', slug, filters))}>
            {t('saveXlsx')}
          </Button>
        </Group>
      )}
      <DataTable
        label={t('historyOf', { slug })}
        list={list}
        columns={columns}
        id={(row) => String(row.id)}
        rowHeight={64}
        maxHeight={520}
        empty={isFiltered ? <NoneFound onClear={onClear} /> : <NoHistory />}
      />
    </Stack>
  );
}

function NoneFound({ onClear }: { onClear: () => void }) {
  const t = useText(messages);
  return (
    <Empty title={t('noneFound')}>
      <Button variant="default" onClick={onClear}>
        {t('clearFilters')}
      </Button>
    </Empty>
  );
}

function NoHistory() {
  const t = useText(messages);
  return <Empty title={t('noHistory')} about={t('noHistoryAbout')} />;
}

function useColumns(): Column<Row>[] {
  const t = useText(messages);
  return [
    {
      key: 'timestamp',
      title: t('timestamp'),
      width: 'minmax(min(172px, 32vw), 1.4fr)',
      cell: (row) => <Instant at={row.timestamp} />,
    },
    {
      key: 'user',
      title: t('user'),
      width: 'minmax(95px, 1.2fr)',
      cell: (row) => <UserLink id={row.user_id} />,
    },
    {
      key: 'operation',
      title: t('operation'),
      width: 'minmax(90px, 1fr)',
      cell: (row) => t(`operation_${row.operation}`),
    },
    { key: 'source', title: t('source'), width: '1fr', isWide: true, cell: (row) => row.source },
    { key: 'actor', title: t('actor'), width: '1fr', isWide: true, cell: (row) => row.actor },
    {
      key: 'reason',
      title: t('reason'),
      width: '1.6fr',
      isWide: true,
      cell: (row) => (
        <Text size="sm" truncate title={row.reason ?? ''}>
          {row.reason}
        </Text>
      ),
    },
    {
      key: 'expires',
      title: t('expiresAt'),
      width: 'minmax(172px, 1.4fr)',
      isVeryWide: true,
      cell: (row) => row.expires_at && <Instant at={row.expires_at} />,
    },
    { key: 'slug', title: t('slugThen'), width: '1.2fr', isVeryWide: true, cell: (row) => row.segment },
  ];
}
