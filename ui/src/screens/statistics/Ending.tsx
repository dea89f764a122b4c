import { Alert, Skeleton, Stack } from '@mantine/core';
import { api, ok, type Schemas } from '../../api/client';
import { Chart } from '../../parts/Chart';
import { DataTable, useList, type Column, type PageOf } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { AsOf, Instant } from '../../parts/Instant';
import { Panel } from '../../parts/Panel';
import { SegmentLink, UserLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { DAYS_AHEAD, midnight, perDay } from './figures';
import { statistics } from './messages';

type Row = Schemas['EndingMembership'];

/** As many as the service gives at once; the days are counted from them. */
const COUNTED = 1000;

export function Ending() {
  const t = useText(statistics);
  const until = midnight(new Date(), DAYS_AHEAD).toISOString();
  const columns = useColumns();
  const list = useList(['memberships', 'ending', until], (cursor) =>
    ok(
      api.GET('/api/v1/memberships', {
        params: { query: { expires_before: until, limit: COUNTED, cursor, count: 'exact' } },
      }),
    ),
  );
  const first = list.data?.pages[0];
  const none = <Empty title={t('endingNone')} about={t('endingNoneAbout', { days: DAYS_AHEAD })} />;
  return (
    <Panel title={t('ending')} actions={<AsOf at={list.dataUpdatedAt} />}>
      {list.isPending && <Skeleton height={280} />}
      {first && first.items.length > 0 && <ByDay page={first} />}
      <DataTable
        label={t('endingList', { days: DAYS_AHEAD })}
        list={list}
        columns={columns}
        id={(row) => `${row.user_id} ${row.segment}`}
        rowHeight={66}
        maxHeight={420}
        empty={none}
      />
    </Panel>
  );
}

function ByDay({ page }: { page: PageOf<Row> }) {
  const t = useText(statistics);
  const formats = useFormats();
  const ends = page.items.map((row) => row.expires_at);
  const days = perDay(ends, DAYS_AHEAD, new Date());
  const last = ends.at(-1);
  return (
    <>
      <Chart
        title={t('endingByDay', { days: DAYS_AHEAD })}
        labels={days.map((day) => day.at)}
        labelKind="day"
        labelTitle={t('day')}
        series={[{ name: t('memberships'), kind: 'bar', values: days.map((day) => day.count) }]}
      />
      {page.next_cursor !== null && last !== undefined && (
        <Alert role="note" color="orange" variant="outline">
          {t('endingCut', {
            shown: formats.number(ends.length),
            total: formats.number(page.total ?? ends.length),
            day: formats.day(last),
          })}
        </Alert>
      )}
    </>
  );
}

function useColumns(): Column<Row>[] {
  const t = useText(statistics);
  return [
    {
      key: 'ends',
      title: t('ends'),
      width: 'minmax(140px, 1.3fr)',
      cell: (row) => <Instant at={row.expires_at} />,
    },
    {
      key: 'membership',
      title: t('membership'),
      width: 'minmax(120px, 1.4fr)',
      cell: (row) => (
        <Stack gap={0}>
          <UserLink id={row.user_id} />
          <SegmentLink slug={row.segment} />
        </Stack>
      ),
    },
    {
      key: 'since',
      title: t('since'),
      width: 'minmax(140px, 1.3fr)',
      isWide: true,
      cell: (row) => <Instant at={row.since} />,
    },
    { key: 'source', title: t('source'), width: '1fr', isWide: true, cell: (row) => row.source },
    { key: 'actor', title: t('actor'), width: '1fr', isWide: true, cell: (row) => row.actor },
    { key: 'reason', title: t('reason'), width: '1.5fr', isWide: true, cell: (row) => row.reason },
  ];
}
