import { Button, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { api, ok } from '../../api/client';
import { useMay } from '../../api/me';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Instant } from '../../parts/Instant';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { ActionName, useReadable } from '../audit/RowParts';
import type { Row } from '../audit/rows';
import { accounts } from './messages';

/** Rows of the audit log about one account, also about one that is gone. */
export function AccountHistory({ id }: { id: string }) {
  const t = useText(accounts);
  const may = useMay();
  const columns = useColumns();
  const list = useList<Row>(['audit', 'account', id], (cursor) =>
    ok(
      api.GET('/api/v1/accounts/{id}/history', {
        params: { path: { id }, query: { limit: 100, ...(cursor ? { cursor } : {}) } },
      }),
    ),
  );
  const toAudit = may('audit.read') && (
    <Button
      component={Link}
      to="/audit"
      search={{ subject: `account/${id}` } as never}
      variant="default"
      size="compact-sm"
    >
      {t('inAudit')}
    </Button>
  );
  return (
    <Panel title={t('history')} actions={toAudit}>
      <Text size="sm" c="dimmed">
        {t('historyAbout')}
      </Text>
      <DataTable
        label={t('history')}
        list={list}
        columns={columns}
        id={(row) => String(row.id)}
        rowHeight={52}
        maxHeight={420}
        empty={<Text size="sm">{t('historyEmpty')}</Text>}
      />
    </Panel>
  );
}

function useColumns(): Column<Row>[] {
  const t = useText(accounts);
  const readable = useReadable();
  return [
    { key: 'at', title: t('at'), width: 'minmax(120px, 170px)', cell: (row) => <Instant at={row.at} /> },
    {
      key: 'action',
      title: t('action'),
      width: 'minmax(120px, 1fr)',
      cell: (row) => <ActionName action={row.action} />,
    },
    {
      key: 'actor',
      title: t('actor'),
      width: 'minmax(100px, 1fr)',
      isWide: true,
      cell: (row) => (
        <Text size="sm" truncate title={row.actor}>
          {row.actor}
        </Text>
      ),
    },
    {
      key: 'detail',
      title: t('detail'),
      width: 'minmax(140px, 2fr)',
      isWide: true,
      cell: (row) => {
        const said = readable(row)
          .map(([name, value]) => `${name}: ${value}`)
          .join(', ');
        return (
          <Text size="sm" truncate title={said}>
            {said}
          </Text>
        );
      },
    },
  ];
}
