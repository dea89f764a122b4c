import { SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import { Chart } from '../../parts/Chart';
import { Empty } from '../../parts/Empty';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { SegmentLink } from '../../parts/SegmentLink';
import { SegmentSelect } from '../../parts/SegmentSelect';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { useAddress } from '../../parts/address';
import { Figures } from '../../parts/Figures';
import { distribution } from './messages';
import { reachQuery } from '../../parts/queries';
import { split, type Search } from './shares';

/** Two segments' shares side by side, and what they share. */
export function Compare() {
  const t = useText(distribution);
  const [search, change] = useAddress<Search>();
  const { segment: first, with: second } = search;
  const isSame = first !== undefined && first === second;
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }} maw={660}>
        <SegmentSelect
          label={t('first')}
          value={first ?? null}
          onChange={(next) => change({ segment: next ?? undefined })}
        />
        <SegmentSelect
          label={t('second')}
          value={second ?? null}
          onChange={(next) => change({ with: next ?? undefined })}
          error={isSame && t('sameTwo')}
        />
      </SimpleGrid>
      {first === undefined || second === undefined || isSame ? (
        <Empty title={t('chooseTwoTitle')} about={t('chooseTwoAbout')} />
      ) : (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Shares first={first} second={second} />
          <Common first={first} second={second} />
        </SimpleGrid>
      )}
    </Stack>
  );
}

interface Two {
  first: string;
  second: string;
}

function Shares({ first, second }: Two) {
  const t = useText(distribution);
  const [one, other] = [useQuery(reachQuery(first)), useQuery(reachQuery(second))];
  return (
    <Panel title={t('sharesTitle')} actions={<AsOf at={Math.min(one.dataUpdatedAt, other.dataUpdatedAt)} />}>
      <Loaded query={one} height={300}>
        {(left) => (
          <Loaded query={other} height={300}>
            {(right) => (
              <>
                <SimpleGrid cols={2}>
                  <Reach value={left} />
                  <Reach value={right} />
                </SimpleGrid>
                <Chart
                  title={t('shareOfAll')}
                  labels={[left.segment, right.segment]}
                  labelKind="name"
                  labelTitle={t('segment')}
                  isPercent
                  series={[{ name: t('shareOfAll'), kind: 'bar', values: [left.percent, right.percent] }]}
                />
              </>
            )}
          </Loaded>
        )}
      </Loaded>
    </Panel>
  );
}

function Reach({ value }: { value: Schemas['Distribution'] }) {
  const t = useText(distribution);
  const formats = useFormats();
  return (
    <Stack gap={0}>
      <SegmentLink slug={value.segment} />
      <Text fw={600} size="lg" className="number">
        {formats.percent(value.percent)}
      </Text>
      <Text size="sm" c="dimmed">
        {`${t('members')}: ${formats.number(value.user_count)}`}
      </Text>
    </Stack>
  );
}

function Common({ first, second }: Two) {
  const t = useText(distribution);
  const formats = useFormats();
  const overlap = useQuery({
    queryKey: ['segments', 'overlap', [first, second]],
    queryFn: () => ok(api.POST('/api/v1/segments/overlap', { body: { slugs: [first, second] } })),
  });
  const names = [t('onlyIn', { segment: first }), t('inBoth'), t('onlyIn', { segment: second })];
  return (
    <Panel title={t('overlapTitle')} actions={<AsOf at={overlap.dataUpdatedAt} />}>
      <Loaded query={overlap} height={300}>
        {(value) => {
          const parts = split(value, first, second);
          return (
            <>
              <Figures
                items={[
                  { name: t('inBoth'), value: formats.number(parts.both) },
                  { name: t('likeness'), value: formats.percent(parts.likeness * 100) },
                ]}
              />
              <Chart
                title={t('usersTitle')}
                labels={names}
                labelKind="name"
                labelTitle={t('group')}
                series={[
                  { name: t('usersTitle'), kind: 'bar', values: [parts.first, parts.both, parts.second] },
                ]}
              />
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}
