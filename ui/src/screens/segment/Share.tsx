import { Alert, Button, Group, NumberInput, Slider, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../api/client';
import { isProblem } from '../../api/problem';
import { useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { parts } from '../../parts/messages';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Facts } from './Facts';
import { percentOf } from './fields';
import { segment as messages } from './messages';
import { TOUCHED } from '../../parts/segments/useVersioned';

type Segment = Schemas['Segment'];

function distribute(slug: string, percent: number, isDry: boolean) {
  const query = isDry ? { dry_run: true } : {};
  return ok(
    api.POST('/api/v1/segments/{slug}/distribute', {
      params: { path: { slug }, query },
      body: { percent },
    }),
  );
}

/** Gives the segment to a share of all users, after telling what that would do. */
export function Share({ segment }: { segment: Segment }) {
  const t = useText(messages);
  const isPossible = segment.kind === 'manual' || segment.kind === 'percent';
  return (
    <Panel title={t('share')}>
      {isPossible ? <Target segment={segment} /> : <Impossible kind={segment.kind} />}
    </Panel>
  );
}

function Impossible({ kind }: { kind: Schemas['Kind'] }) {
  const t = useText(messages);
  const kinds = useText(parts);
  return (
    <Alert variant="outline" color="orange" title={t('cannotShare')}>
      {t('cannotShareAbout', { kind: kinds(`kind_${kind}`) })}
    </Alert>
  );
}

function Target({ segment }: { segment: Segment }) {
  const t = useText(messages);
  const [typed, setTyped] = useState<string | number>(segment.percent ?? '');
  const percent = percentOf(typed);
  const [settled] = useDebouncedValue(percent, 350);
  const isOther = settled !== null && settled !== segment.percent;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed" maw="70ch">
        {t('shareAbout')}
      </Text>
      <NumberInput
        label={t('sharePercent')}
        description={t('shareHint')}
        value={typed}
        onChange={setTyped}
        min={0}
        max={100}
        decimalScale={4}
        allowNegative={false}
        suffix=" %"
        w={220}
      />
      <Slider
        thumbLabel={t('shareSlider')}
        value={percent ?? 0}
        onChange={setTyped}
        min={0}
        max={100}
        step={0.1}
        label={null}
        marks={[0, 25, 50, 75, 100].map((value) => ({ value, label: String(value) }))}
        mx="xs"
        mb="lg"
      />
      {isOther && <Preview segment={segment} percent={settled} isSettled={settled === percent} />}
    </Stack>
  );
}

function Preview(props: { segment: Segment; percent: number; isSettled: boolean }) {
  const { segment, percent, isSettled } = props;
  const t = useText(messages);
  const query = useQuery({
    queryKey: ['segments', 'rehearsed share', segment.slug, percent],
    queryFn: () => distribute(segment.slug, percent, true),
    placeholderData: (before) => before,
    // True only now.
    staleTime: 0,
    gcTime: 0,
  });
  // The kind may have changed since it was read.
  if (isProblem(query.error, 409)) {
    return (
      <Alert role="alert" variant="outline" color="orange" title={t('cannotShare')}>
        {query.error.message}
      </Alert>
    );
  }
  const isReady = isSettled && !query.isPlaceholderData && !query.isError;
  return (
    <Loaded query={query} height={100}>
      {(outcome) => (
        <Stack gap="xs" aria-busy={!isReady}>
          <div role="status" aria-label={t('preview')} style={{ opacity: isReady ? 1 : 0.5 }}>
            <Outcome outcome={outcome} />
          </div>
          <AsOf at={query.dataUpdatedAt} />
          <Apply slug={segment.slug} percent={percent} outcome={outcome} isReady={isReady} />
        </Stack>
      )}
    </Loaded>
  );
}

function Outcome({ outcome }: { outcome: Schemas['Distributed'] }) {
  const t = useText(messages);
  const formats = useFormats();
  return (
    <>
      <Facts
        isLarge
        items={[
          [t('wouldEnter'), `+${formats.number(outcome.added)}`],
          [t('wouldLeave'), `−${formats.number(outcome.removed)}`],
          [t('wouldBe'), formats.number(outcome.user_count)],
          [t('wouldShare'), formats.percent(outcome.percent)],
        ]}
      />
      {outcome.added === 0 && outcome.removed === 0 && (
        <Text size="sm" c="dimmed">
          {t('nobodyMoves')}
        </Text>
      )}
    </>
  );
}

interface ApplyProps {
  slug: string;
  percent: number;
  outcome: Schemas['Distributed'];
  isReady: boolean;
}

function Apply({ slug, percent, outcome, isReady }: ApplyProps) {
  const t = useText(messages);
  const formats = useFormats();
  const [isAsking, setAsking] = useState(false);
  const share = formats.percent(percent, 4);
  const change = useChange({
    act: () => distribute(slug, percent, false),
    changes: TOUCHED,
    done: ({ added, removed }) =>
      t('applied', { slug, added: formats.number(added), removed: formats.number(removed) }),
    onDone: () => setAsking(false),
  });
  // Who lets somebody go is asked first.
  const act = () => (outcome.removed > 0 ? setAsking(true) : change.mutate());
  const apply = t('apply', { percent: share });
  return (
    <>
      <Group>
        <Button onClick={act} disabled={!isReady} loading={change.isPending}>
          {apply}
        </Button>
      </Group>
      {!isAsking && <ProblemAlert error={change.error} />}
      {isAsking && (
        <Confirm
          title={t('confirmShare', { slug, percent: share })}
          act={apply}
          isDangerous
          isBusy={change.isPending}
          isImpossible={!isReady}
          error={change.error}
          onConfirm={change.mutate}
          onClose={() => setAsking(false)}
        >
          <Text size="sm">
            {t('confirmShareAbout', {
              count: outcome.removed,
              shown: formats.number(outcome.removed),
              added: formats.number(outcome.added),
              after: formats.number(outcome.user_count),
            })}
          </Text>
        </Confirm>
      )}
    </>
  );
}
