import { Anchor, SimpleGrid, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { api, ok, type Schemas } from '../../api/client';
import { Chart } from '../../parts/Chart';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { SegmentLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { heightOf } from './figures';
import { statistics } from './messages';

type Pair = Schemas['LikePair'];

const SHOWN = 20;
const nameOf = ({ first, second }: Pair) => `${first} ∩ ${second}`;
const compareOf = (second: string) => ({ tab: 'overlap', with: [second] });

export function Overlaps() {
  const t = useText(statistics);
  const formats = useFormats();
  const query = useQuery({
    queryKey: ['segments', 'overlaps'],
    queryFn: () => ok(api.GET('/api/v1/segments/overlaps', { params: { query: { limit: SHOWN } } })),
  });
  return (
    <Panel title={t('overlaps')} actions={<AsOf at={query.data?.as_of} />}>
      <Loaded query={query} height={heightOf(SHOWN)}>
        {({ items, considered }) => (
          <>
            <Text size="sm" c="dimmed" maw="80ch">
              {t('overlapsAbout', { count: formats.number(considered) })}
            </Text>
            {items.length === 0 ? (
              <Text size="sm">{t('overlapsNone')}</Text>
            ) : (
              <SimpleGrid cols={{ base: 1, lg: 2 }}>
                <Bars pairs={items} />
                <Pairs pairs={items} />
              </SimpleGrid>
            )}
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function Bars({ pairs }: { pairs: Pair[] }) {
  const t = useText(statistics);
  const navigate = useNavigate();
  const open = (name: string) => {
    const pair = pairs.find((one) => nameOf(one) === name);
    if (!pair) return;
    void navigate({
      to: '/segments/$slug',
      params: { slug: pair.first } as never,
      search: compareOf(pair.second) as never,
    });
  };
  return (
    <Chart
      title={t('overlapsChart')}
      labels={pairs.map(nameOf)}
      labelKind="name"
      labelTitle={t('pair')}
      isLying
      isPercent
      height={heightOf(pairs.length)}
      series={[{ name: t('jaccard'), kind: 'bar', values: pairs.map((pair) => pair.jaccard * 100) }]}
      onPick={open}
    />
  );
}

function Pairs({ pairs }: { pairs: Pair[] }) {
  const t = useText(statistics);
  return (
    <Table.ScrollContainer minWidth={320}>
      <Table aria-label={t('overlaps')} horizontalSpacing={6} verticalSpacing={3}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('first')}</Table.Th>
            <Table.Th>{t('second')}</Table.Th>
            <Table.Th ta="right">{t('jaccard')}</Table.Th>
            <Table.Th ta="right">{t('shared')}</Table.Th>
            <Table.Th visibleFrom="sm">{t('compare')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {pairs.map((pair) => (
            <PairRow key={nameOf(pair)} pair={pair} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function PairRow({ pair }: { pair: Pair }) {
  const t = useText(statistics);
  const formats = useFormats();
  const { first, second } = pair;
  return (
    <Table.Tr>
      <Table.Td>
        <SegmentLink slug={first} />
        <Count of={pair.first_count} />
      </Table.Td>
      <Table.Td>
        <SegmentLink slug={second} />
        <Count of={pair.second_count} />
      </Table.Td>
      <Table.Td ta="right" className="number">
        {formats.percent(pair.jaccard * 100)}
      </Table.Td>
      <Table.Td ta="right" className="number">
        {formats.number(pair.shared)}
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Anchor
          component={Link}
          to="/segments/$slug"
          params={{ slug: first } as never}
          search={compareOf(second) as never}
          size="sm"
          aria-label={t('compareLabel', { first, second })}
        >
          {t('compare')}
        </Anchor>
      </Table.Td>
    </Table.Tr>
  );
}

function Count({ of }: { of: number }) {
  const formats = useFormats();
  return (
    <Text size="xs" c="dimmed" className="number">
      {formats.number(of)}
    </Text>
  );
}
