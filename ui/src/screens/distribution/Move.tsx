import { Button, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { MEMBERSHIPS, useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { SegmentSelect } from '../../parts/SegmentSelect';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { useAddress } from '../../parts/address';
import { Figures } from '../../parts/Figures';
import { distribution } from './messages';
import { reachQuery } from '../../parts/queries';
import { moveUsers } from './queries';
import type { Search } from './shares';

/** Everybody from one segment to another. */
export function Move() {
  const t = useText(distribution);
  const may = useMay();
  const [{ from, to }, change] = useAddress<Search>();
  const isSame = from !== undefined && from === to;
  const isChosen = from !== undefined && to !== undefined && !isSame;
  return (
    <Panel title={t('moveTitle')}>
      <Text size="sm" c="dimmed" maw="70ch">
        {t('moveAbout')}
      </Text>
      <Group align="flex-start">
        <SegmentSelect
          label={t('from')}
          w={280}
          value={from ?? null}
          onChange={(next) => change({ from: next ?? undefined })}
        />
        <SegmentSelect
          label={t('to')}
          w={280}
          value={to ?? null}
          onChange={(next) => change({ to: next ?? undefined })}
          error={isSame && t('sameTwo')}
        />
        <Button variant="default" mt={25} onClick={() => change({ from: to, to: from })}>
          {t('swap')}
        </Button>
      </Group>
      {isChosen && may('segments.manage') && <Rehearsal key={`${from} ${to}`} from={from} to={to} />}
      {isChosen && !may('segments.manage') && <Sizes from={from} to={to} />}
    </Panel>
  );
}

/** What those see who may not move anybody. */
function Sizes({ from, to }: { from: string; to: string }) {
  const t = useText(distribution);
  const formats = useFormats();
  const [first, second] = [useQuery(reachQuery(from)), useQuery(reachQuery(to))];
  const size = (slug: string, value: Schemas['Distribution']) => (
    <Figures
      items={[
        { name: slug, value: formats.number(value.user_count) },
        { name: t('shareOfAll'), value: formats.percent(value.percent) },
      ]}
    />
  );
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Loaded query={first}>{(value) => size(from, value)}</Loaded>
        <Loaded query={second}>{(value) => size(to, value)}</Loaded>
      </SimpleGrid>
      <Text c="dimmed">{t('readOnly')}</Text>
    </Stack>
  );
}

function Rehearsal({ from, to }: { from: string; to: string }) {
  const t = useText(distribution);
  const formats = useFormats();
  const [isAsking, setAsking] = useState(false);
  const preview = useQuery({
    queryKey: ['segments', 'rehearsed move', from, to],
    queryFn: () => moveUsers(from, to, true),
    // True only now.
    staleTime: 0,
    gcTime: 0,
  });
  return (
    <Loaded query={preview} height={100}>
      {(value) => (
        <Stack role="status" aria-label={t('preview')}>
          <Figures
            items={[
              { name: t('moved', { segment: from }), value: formats.number(value.moved) },
              { name: t('addedTo', { segment: to }), value: formats.number(value.added) },
              { name: t('extended'), value: formats.number(value.extended) },
              { name: t('already'), value: formats.number(value.moved - value.added - value.extended) },
            ]}
          />
          <Group>
            <Button onClick={() => setAsking(true)} disabled={value.moved === 0}>
              {t('move')}
            </Button>
            <AsOf at={preview.dataUpdatedAt} />
          </Group>
          {value.moved === 0 && (
            <Text size="sm" c="dimmed">
              {t('nobodyToMove', { segment: from })}
            </Text>
          )}
          {isAsking && <Ask value={value} onClose={() => setAsking(false)} />}
        </Stack>
      )}
    </Loaded>
  );
}

function Ask({ value, onClose }: { value: Schemas['Moved']; onClose: () => void }) {
  const t = useText(distribution);
  const formats = useFormats();
  const { from_segment: from, to_segment: to } = value;
  const change = useChange({
    act: () => moveUsers(from, to, false),
    changes: MEMBERSHIPS,
    done: ({ moved }) => t('movedDone', { count: moved, shown: formats.number(moved), to }),
    onDone: onClose,
  });
  return (
    <Confirm
      title={t('confirmMove', { from, to })}
      act={t('move')}
      word={from}
      isDangerous
      isBusy={change.isPending}
      error={change.error}
      onConfirm={change.mutate}
      onClose={onClose}
    >
      <Text size="sm">
        {t('confirmMoveAbout', {
          count: value.moved,
          shown: formats.number(value.moved),
          from,
          to,
          added: formats.number(value.added),
          extended: formats.number(value.extended),
        })}
      </Text>
      <Text size="sm">{t('cannotBack')}</Text>
    </Confirm>
  );
}
