import { Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMay } from '../../api/me';
import { useAddress } from '../../parts/address';
import { Empty } from '../../parts/Empty';
import { Figures } from '../../parts/Figures';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { reachQuery, segmentQuery } from '../../parts/queries';
import { SegmentSelect } from '../../parts/SegmentSelect';
import { shareOf } from '../../parts/share/share';
import { Share as Given } from '../../parts/share/Share';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { distribution } from './messages';
import type { Search } from './shares';

/** Gives a segment to a share of all users. */
export function Share() {
  const t = useText(distribution);
  const may = useMay();
  const [search, change] = useAddress<Search>();
  const slug = search.segment;
  return (
    <Stack>
      <SegmentSelect
        label={t('segment')}
        w={320}
        value={slug ?? null}
        onChange={(next) => change({ segment: next ?? undefined, percent: undefined })}
      />
      {slug === undefined ? (
        <Empty title={t('chooseTitle')} about={t('chooseAbout')} />
      ) : (
        <>
          <Reach slug={slug} />
          {may('segments.manage') ? (
            <Begin key={slug} slug={slug} />
          ) : (
            <Text c="dimmed">{t('readOnly')}</Text>
          )}
        </>
      )}
    </Stack>
  );
}

function Reach({ slug }: { slug: string }) {
  const t = useText(distribution);
  const formats = useFormats();
  const reach = useQuery(reachQuery(slug));
  return (
    <Panel title={t('now')} actions={<AsOf at={reach.dataUpdatedAt} />}>
      <Loaded query={reach} height={50}>
        {(value) => (
          <Figures
            items={[
              { name: t('members'), value: formats.number(value.user_count) },
              { name: t('everybody'), value: formats.number(value.total_users) },
              { name: t('shareOfAll'), value: formats.percent(value.percent) },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

/** What is set begins at what the segment has, and stands in the address. */
function Begin({ slug }: { slug: string }) {
  const [search, change] = useAddress<Search>();
  const segment = useQuery(segmentQuery(slug));
  if (segment.isPending) return <Skeleton height={180} />;
  return (
    <Given
      slug={slug}
      present={segment.data?.value.percent ?? null}
      percent={shareOf(search.percent ?? '')}
      onSettle={(percent) => change({ percent: percent ?? undefined })}
    />
  );
}
