import { Button, Group, NumberInput, Skeleton, Slider, Stack, Text } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { Empty } from '../../parts/Empty';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { segmentQuery } from '../../parts/queries';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { SegmentSelect } from '../../parts/SegmentSelect';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { useAddress } from '../../parts/address';
import { Figures } from '../../parts/Figures';
import { distribution } from './messages';
import { distribute, reachQuery, REHEARSED, TOUCHED } from './queries';
import { shareOf, type Search } from './shares';

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

/** What is set begins at what the segment has. */
function Begin({ slug }: { slug: string }) {
  const segment = useQuery(segmentQuery(slug));
  if (segment.isPending) return <Skeleton height={180} />;
  return <Target slug={slug} present={segment.data?.value.percent ?? null} />;
}

/** The address has the share as soon as somebody stops moving it, and the rehearsal follows the address. */
function Target({ slug, present }: { slug: string; present: number | null }) {
  const t = useText(distribution);
  const [search, change] = useAddress<Search>();
  const settled = shareOf(search.percent ?? '');
  const [typed, setTyped] = useState<string | number>(settled ?? present ?? '');
  const settle = useDebouncedCallback(
    (percent: number | null) => change({ percent: percent ?? undefined }),
    300,
  );
  const set = (value: string | number) => {
    setTyped(value);
    settle(shareOf(value));
  };
  const isSettled = shareOf(typed) === settled;
  return (
    <Panel title={t('target')}>
      <NumberInput
        label={t('percentNumber')}
        description={t('percentHint')}
        value={typed}
        onChange={set}
        min={0}
        max={100}
        decimalScale={4}
        allowNegative={false}
        suffix=" %"
        w={220}
      />
      <Slider
        thumbLabel={t('percentSlider')}
        value={shareOf(typed) ?? 0}
        onChange={set}
        min={0}
        max={100}
        step={0.1}
        label={null}
        marks={[0, 25, 50, 75, 100].map((value) => ({ value, label: String(value) }))}
        mb="lg"
      />
      {settled !== null && <Rehearsal slug={slug} percent={settled} isSettled={isSettled} />}
    </Panel>
  );
}

function Rehearsal({ slug, percent, isSettled }: { slug: string; percent: number; isSettled: boolean }) {
  const t = useText(distribution);
  const preview = useQuery({
    queryKey: ['segments', 'rehearsed share', slug, percent],
    queryFn: () => distribute(slug, percent, true),
    placeholderData: (before) => before,
    ...REHEARSED,
  });
  const isReady = isSettled && !preview.isPlaceholderData && !preview.isError;
  return (
    <Stack gap="xs" aria-busy={!isReady}>
      <Text size="sm" c="dimmed">
        {t('previewAbout')}
      </Text>
      <Loaded query={preview} height={100}>
        {(value) => (
          <>
            <div role="status" aria-label={t('previewTitle')} style={{ opacity: isReady ? 1 : 0.5 }}>
              <Counts value={value} />
            </div>
            <Apply
              slug={slug}
              percent={percent}
              preview={value}
              isReady={isReady}
              at={preview.dataUpdatedAt}
            />
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Counts({ value }: { value: Schemas['Distributed'] }) {
  const t = useText(distribution);
  const formats = useFormats();
  return (
    <Figures
      items={[
        { name: t('enter'), value: `+${formats.number(value.added)}` },
        { name: t('leave'), value: `−${formats.number(value.removed)}` },
        { name: t('after'), value: formats.number(value.user_count) },
        { name: t('shareAfter'), value: formats.percent(value.percent) },
      ]}
    />
  );
}

interface ApplyProps {
  slug: string;
  percent: number;
  preview: Schemas['Distributed'];
  isReady: boolean;
  at: number;
}

function Apply({ slug, percent, preview, isReady, at }: ApplyProps) {
  const t = useText(distribution);
  const formats = useFormats();
  const [isAsking, setAsking] = useState(false);
  const share = formats.percent(percent, 4);
  const change = useChange({
    act: () => distribute(slug, percent, false),
    changes: TOUCHED,
    done: ({ added, removed }) =>
      t('applied', { segment: slug, added: formats.number(added), removed: formats.number(removed) }),
    onDone: () => setAsking(false),
  });
  const isIdle = preview.added === 0 && preview.removed === 0;
  // Whoever lets somebody go is asked first.
  const act = () => (preview.removed > 0 ? setAsking(true) : change.mutate());
  return (
    <>
      <Group>
        <Button onClick={act} disabled={!isReady} loading={change.isPending}>
          {t('apply', { percent: share })}
        </Button>
        <AsOf at={at} />
        {isIdle && isReady && (
          <Text size="sm" c="dimmed">
            {t('nothingChanges')}
          </Text>
        )}
      </Group>
      {!isAsking && <ProblemAlert error={change.error} />}
      {isAsking && (
        <Confirm
          title={t('confirmShare', { segment: slug, percent: share })}
          act={t('apply', { percent: share })}
          isDangerous
          isBusy={change.isPending}
          isImpossible={!isReady}
          error={change.error}
          onConfirm={change.mutate}
          onClose={() => setAsking(false)}
        >
          <Text size="sm">
            {t('confirmShareAbout', {
              count: preview.removed,
              shown: formats.number(preview.removed),
              added: formats.number(preview.added),
              after: formats.number(preview.user_count),
            })}
          </Text>
        </Confirm>
      )}
    </>
  );
}
