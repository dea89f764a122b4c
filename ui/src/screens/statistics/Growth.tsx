import { SegmentedControl, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import { Chart } from '../../parts/Chart';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import type * as searches from '../../searches';
import { useText } from '../../text';
import { useAddress } from '../../parts/address';
import { bySource, growth, heightOf, spanOf, SPANS, stretches, type Growth as DayGrowth } from './figures';
import { statistics } from './messages';

export function Growth() {
  const t = useText(statistics);
  const [search, change] = useAddress<ReturnType<typeof searches.statistics>>();
  const days = spanOf(search.days);
  const parts = stretches(days, new Date());
  const query = useQuery({
    queryKey: ['history', 'counts', parts],
    queryFn: () =>
      Promise.all(
        parts.map((part) =>
          ok(api.GET('/api/v1/history/counts', { params: { query: { ...part, step: 'P1D' } } })),
        ),
      ),
    placeholderData: (before) => before,
  });
  const actions = (
    <>
      <AsOf at={query.dataUpdatedAt} />
      <SegmentedControl
        size="xs"
        aria-label={t('period')}
        value={String(days)}
        onChange={(value) => change({ days: Number(value) })}
        data={SPANS.map((count) => ({ value: String(count), label: t('days', { count }) }))}
      />
    </>
  );
  return (
    <Panel title={t('growth')} actions={actions}>
      <Loaded query={query} height={760}>
        {(counts) => (
          <Stack>
            <ByDay rows={growth(counts.map(({ points }) => points))} />
            <BySource sources={bySource(counts.map(({ sources }) => sources))} />
          </Stack>
        )}
      </Loaded>
    </Panel>
  );
}

function ByDay({ rows }: { rows: DayGrowth[] }) {
  const t = useText(statistics);
  const labels = rows.map((row) => row.at);
  return (
    <>
      <Chart
        title={t('growthByDay')}
        labels={labels}
        labelKind="day"
        labelTitle={t('day')}
        height={280}
        series={[
          { name: t('added'), kind: 'bar', stack: 'moves', values: rows.map((row) => row.added) },
          { name: t('removed'), kind: 'bar', stack: 'moves', values: rows.map((row) => row.removed) },
          { name: t('extended'), kind: 'bar', values: rows.map((row) => row.extended) },
        ]}
      />
      <Text size="xs" c="dimmed">
        {t('growthHint')}
      </Text>
      <Chart
        title={t('netByDay')}
        labels={labels}
        labelKind="day"
        labelTitle={t('day')}
        height={180}
        series={[{ name: t('net'), kind: 'line', values: rows.map((row) => row.net) }]}
      />
    </>
  );
}

function BySource({ sources }: { sources: Schemas['CountedSource'][] }) {
  const t = useText(statistics);
  return (
    <Chart
      title={t('changesBySource')}
      labels={sources.map((one) => one.source)}
      labelKind="name"
      labelTitle={t('source')}
      isLying
      height={heightOf(sources.length * 2)}
      series={[
        { name: t('added'), kind: 'bar', values: sources.map((one) => one.added) },
        { name: t('removed'), kind: 'bar', values: sources.map((one) => one.removed) },
        { name: t('extended'), kind: 'bar', values: sources.map((one) => one.extended) },
      ]}
    />
  );
}
