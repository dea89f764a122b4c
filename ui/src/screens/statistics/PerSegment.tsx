import { SimpleGrid, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, ok, type Schemas } from '../../api/client';
import { Chart } from '../../parts/Chart';
import { AsOf, Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { parts } from '../../parts/messages';
import { Panel } from '../../parts/Panel';
import { SegmentLink } from '../../parts/SegmentLink';
import type * as searches from '../../searches';
import { SettledField } from '../../parts/SettledField';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { useAddress } from '../../parts/address';
import { heightOf } from './figures';
import { statistics } from './messages';

type Row = Schemas['SegmentStats'];

const SHOWN = 20;

export function PerSegment() {
  const t = useText(statistics);
  const [{ query: part }] = useAddress<ReturnType<typeof searches.statistics>>();
  const query = useQuery({
    queryKey: ['segments', 'largest', part],
    queryFn: () =>
      ok(
        api.GET('/api/v1/segments/stats', {
          params: { query: { sort: '-user_count', limit: SHOWN, count: 'exact', query: part } },
        }),
      ),
    placeholderData: (before) => before,
  });
  return (
    <Panel title={t('perSegment')} actions={<AsOf at={query.dataUpdatedAt} />}>
      <SegmentSearch />
      <Loaded query={query} height={heightOf(SHOWN)}>
        {({ items, total }) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              {t('noSegments')}
            </Text>
          ) : (
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <Bars rows={items} total={total ?? items.length} />
              <Rows rows={items} />
            </SimpleGrid>
          )
        }
      </Loaded>
    </Panel>
  );
}

function SegmentSearch() {
  const t = useText(statistics);
  const [search, change] = useAddress<ReturnType<typeof searches.statistics>>();
  return (
    <SettledField
      label={t('search')}
      placeholder={t('searchPlaceholder')}
      maw={360}
      value={search.query ?? ''}
      isSearch
      onSettle={(text) => change({ query: text || undefined })}
    />
  );
}

function Bars({ rows, total }: { rows: Row[]; total: number }) {
  const t = useText(statistics);
  const formats = useFormats();
  const navigate = useNavigate();
  return (
    <div>
      <Chart
        title={t('largest')}
        labels={rows.map((row) => row.slug)}
        labelKind="name"
        labelTitle={t('segment')}
        series={[{ name: t('users'), kind: 'bar', values: rows.map((row) => row.user_count) }]}
        isLying
        height={heightOf(rows.length)}
        onPick={(slug) => void navigate({ to: '/segments/$slug', params: { slug } as never })}
      />
      <Text size="xs" c="dimmed">
        {t('perSegmentShown', { shown: formats.number(rows.length), total: formats.number(total) })}.{' '}
        {t('pickHint')}
      </Text>
    </div>
  );
}

function Rows({ rows }: { rows: Row[] }) {
  const t = useText(statistics);
  const kinds = useText(parts);
  const formats = useFormats();
  return (
    <Table aria-label={t('perSegment')} horizontalSpacing={6} verticalSpacing={3}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('segment')}</Table.Th>
          <Table.Th visibleFrom="sm">{t('kind')}</Table.Th>
          <Table.Th ta="right">{t('users')}</Table.Th>
          <Table.Th visibleFrom="sm">{t('lastChange')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Table.Tr key={row.slug}>
            <Table.Td miw={140}>
              <SegmentLink slug={row.slug} />
            </Table.Td>
            <Table.Td visibleFrom="sm">{kinds(`kind_${row.kind}`)}</Table.Td>
            <Table.Td ta="right" className="number">
              {formats.number(row.user_count)}
            </Table.Td>
            <Table.Td visibleFrom="sm">
              {row.last_change ? <Instant at={row.last_change.at} /> : t('never')}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
