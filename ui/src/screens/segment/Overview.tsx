import { Button, Code, SegmentedControl, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { Chart } from '../../parts/Chart';
import { Empty } from '../../parts/Empty';
import { AsOf, Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { parts } from '../../parts/messages';
import { firstChangeQuery, reachQuery } from '../../parts/queries';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Figures } from '../../parts/Figures';
import { segment as messages } from './messages';
import { useAddress } from './address';
import { allTime, daysBefore } from './period';
import { Share } from './Share';

const ALL = 0;
const SPANS = [7, 30, 90];

export function Overview({ segment }: { segment: Schemas['Segment'] }) {
  const may = useMay();
  const first = useQuery(firstChangeQuery(segment.slug));
  return (
    <Stack>
      <Reach slug={segment.slug} />
      {first.data === null ? <Start /> : <Course slug={segment.slug} />}
      {may('segments.manage') && <Share segment={segment} />}
      <About segment={segment} />
    </Stack>
  );
}

/** What to do with a segment that is new. */
function Start() {
  const t = useText(messages);
  const may = useMay();
  const [, change] = useAddress();
  return (
    <Empty title={t('start')} about={t('startAbout')}>
      {may('memberships.assign') && (
        <Button onClick={() => change({ tab: 'members', act: 'add' })}>{t('startAdd')}</Button>
      )}
      {may('segments.manage') && (
        <Button variant="default" onClick={() => change({ tab: 'members', act: 'import' })}>
          {t('startImport')}
        </Button>
      )}
    </Empty>
  );
}

function Reach({ slug }: { slug: string }) {
  const t = useText(messages);
  const formats = useFormats();
  const query = useQuery(reachQuery(slug));
  return (
    <Panel title={t('reach')} actions={<AsOf at={query.dataUpdatedAt} />}>
      <Loaded query={query} height={50}>
        {(reach) => (
          <Figures
            items={[
              { name: t('users'), value: formats.number(reach.user_count) },
              { name: t('shareOfAll'), value: formats.percent(reach.percent) },
              { name: t('allUsers'), value: formats.number(reach.total_users) },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function Course({ slug }: { slug: string }) {
  const t = useText(messages);
  const client = useQueryClient();
  const [{ days = 30 }, change] = useAddress();
  const query = useQuery({
    queryKey: ['segments', 'size', slug, days],
    async queryFn() {
      const now = new Date();
      const first = days === ALL ? await client.ensureQueryData(firstChangeQuery(slug)) : null;
      const period = days === ALL ? allTime(first ?? now.toISOString(), now) : daysBefore(days, now);
      return ok(api.GET('/api/v1/segments/{slug}/size', { params: { path: { slug }, query: period } }));
    },
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
        data={[
          ...SPANS.map((count) => ({ value: String(count), label: t('days', { count }) })),
          { value: String(ALL), label: t('allTime') },
        ]}
      />
    </>
  );
  return (
    <Panel title={t('sizeHeading')} actions={actions}>
      <Loaded query={query} height={560}>
        {({ points }) => <Charts points={points} />}
      </Loaded>
    </Panel>
  );
}

function Charts({ points }: { points: Schemas['Size'][] }) {
  const t = useText(messages);
  // Nothing is counted at the first point, since there is none before it.
  const steps = points.slice(1);
  return (
    <Stack>
      <Chart
        title={t('size')}
        labels={points.map((point) => point.at)}
        labelKind="instant"
        labelTitle={t('day')}
        series={[{ name: t('users'), kind: 'line', values: points.map((point) => point.user_count) }]}
      />
      <Chart
        title={t('turnover')}
        labels={steps.map((point) => point.at)}
        labelKind="instant"
        labelTitle={t('day')}
        series={[
          { name: t('entered'), kind: 'bar', values: steps.map((point) => point.entered) },
          { name: t('left'), kind: 'bar', values: steps.map((point) => point.left) },
        ]}
      />
    </Stack>
  );
}

function About({ segment }: { segment: Schemas['Segment'] }) {
  const t = useText(messages);
  const kinds = useText(parts);
  const formats = useFormats();
  const { percent } = segment;
  return (
    <Panel title={t('about')}>
      <Text className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
        {segment.description || `${t('description')}: ${t('nothing')}`}
      </Text>
      <Figures
        isText
        items={[
          { name: t('slug'), value: segment.slug },
          { name: t('name'), value: segment.name },
          { name: t('kind'), value: kinds(`kind_${segment.kind}`) },
          { name: t('percent'), value: percent === null ? t('nothing') : formats.percent(percent, 4) },
          { name: t('defaultTtl'), value: segment.default_ttl ?? t('nothing') },
          { name: t('seed'), value: <Code>{segment.seed}</Code> },
          { name: t('version'), value: formats.number(segment.version) },
          { name: t('created'), value: <Instant at={segment.created_at} /> },
          { name: t('updated'), value: <Instant at={segment.updated_at} /> },
        ]}
      />
    </Panel>
  );
}
