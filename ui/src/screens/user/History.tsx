import { Button, Group, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { download } from '../../parts/files';
import { Instant } from '../../parts/Instant';
import { MonthField } from '../../parts/MonthField';
import { SegmentLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useAddress } from './address';
import { user } from './messages';
import { useSource } from './words';

type Row = Schemas['HistoryRow'];

/** What happened to a user, the newest first. */
export function History({ id }: { id: string }) {
  const t = useText(user);
  const may = useMay();
  // Instants take more lines there.
  const isNarrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const [{ month }, change] = useAddress();
  const columns = useColumns();
  const filter = { user_id: id, ...(month ? { month } : {}) };
  const list = useList<Row>(['history', 'user', id, month ?? null], (cursor) =>
    ok(
      api.GET('/api/v1/history', {
        params: {
          query: { ...filter, sort: '-timestamp', limit: 200, ...(cursor ? { cursor } : {}) },
        },
      }),
    ),
  );
  const file = (form: 'csv' | 'xlsx') =>
    download(`/api/v1/history.${form}?${new URLSearchParams(filter).toString()}`);
  const clear = month && (
    <Button variant="default" onClick={() => change({ month: undefined })}>
      {t('clearMonth')}
    </Button>
  );
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Group align="flex-end" gap="xs">
          <MonthField
            label={t('month')}
            description={t('monthHint')}
            month={month}
            onSettle={(month) => change({ month })}
            w={200}
          />
          {clear}
        </Group>
        {may('data.export') && (
          <Group gap="xs">
            <Button variant="default" onClick={() => file('csv')}>
              {t('saveCsv')}
            </Button>
            <Button variant="default" onClick={() => file('xlsx')}>
              {t('saveXlsx')}
            </Button>
          </Group>
        )}
      </Group>
      <DataTable
        label={t('historyOf', { id })}
        list={list}
        columns={columns}
        id={(row) => String(row.id)}
        rowHeight={isNarrow ? 88 : 66}
        maxHeight={560}
        empty={
          month ? (
            <Empty title={t('noneInMonth')}>{clear}</Empty>
          ) : (
            <Empty title={t('noHistory')} about={t('noHistoryAbout')} />
          )
        }
      />
    </Stack>
  );
}

function useColumns(): Column<Row>[] {
  const t = useText(user);
  const source = useSource();
  const cut = (text: string | null) => (
    <Text size="sm" truncate title={text ?? ''}>
      {text}
    </Text>
  );
  return [
    {
      key: 'timestamp',
      title: t('timestamp'),
      width: 'minmax(min(172px, 31vw), 1.2fr)',
      cell: (row) => <Instant at={row.timestamp} />,
    },
    {
      key: 'segment',
      title: t('segment'),
      width: 'minmax(108px, 1.4fr)',
      cell: (row) => <SegmentLink slug={row.segment} />,
    },
    {
      key: 'operation',
      title: t('operation'),
      width: 'minmax(80px, 1fr)',
      cell: (row) => t(`operation_${row.operation}`),
    },
    {
      key: 'deadline',
      title: t('deadline'),
      width: 'minmax(172px, 1.2fr)',
      isWide: true,
      cell: (row) => row.expires_at && <Instant at={row.expires_at} />,
    },
    { key: 'source', title: t('source'), width: '1fr', isWide: true, cell: (row) => cut(source(row.source)) },
    { key: 'actor', title: t('actor'), width: '0.8fr', isWide: true, cell: (row) => cut(row.actor) },
    { key: 'reason', title: t('reason'), width: '1.5fr', isWide: true, cell: (row) => cut(row.reason) },
  ];
}
