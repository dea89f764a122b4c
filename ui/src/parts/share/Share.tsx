import { Alert, Button, Group, NumberInput, Slider, Stack, Text } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { isProblem } from '../../api/problem';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { MEMBERSHIPS, useChange } from '../changes';
import { Confirm } from '../Confirm';
import { Figures } from '../Figures';
import { AsOf } from '../Instant';
import { Loaded } from '../Loaded';
import { Panel } from '../Panel';
import { ProblemAlert } from '../ProblemAlert';
import { Told } from '../Told';
import { share as messages } from './messages';
import { distribute, shareOf } from './share';

type Distributed = Schemas['Distributed'];

interface ShareProps {
  slug: string;
  /** What the segment has. */
  present: number | null;
  /** What somebody set, and is foretold. */
  percent: number | null;
  onSettle: (percent: number | null) => void;
}

/** Gives a segment to a share of all users, after telling what that would do. */
export function Share({ slug, present, percent, onSettle }: ShareProps) {
  const t = useText(messages);
  const [typed, setTyped] = useState<string | number>(percent ?? present ?? '');
  const settle = useDebouncedCallback(onSettle, 300);
  const set = (value: string | number) => {
    setTyped(value);
    settle(shareOf(value));
  };
  return (
    <Panel title={t('title')}>
      <Text size="sm" c="dimmed" maw="70ch">
        {t('about')}
      </Text>
      <NumberInput
        label={t('percent')}
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
        thumbLabel={t('slider')}
        value={shareOf(typed) ?? 0}
        onChange={set}
        min={0}
        max={100}
        step={0.1}
        label={null}
        marks={[0, 25, 50, 75, 100].map((value) => ({ value, label: String(value) }))}
        mx="xs"
        mb="lg"
      />
      {percent !== null && <Rehearsal slug={slug} percent={percent} isSettled={shareOf(typed) === percent} />}
    </Panel>
  );
}

/** What of a segment follows from elsewhere is not for anybody to give. */
export function NoShare({ why }: { why: string }) {
  const t = useText(messages);
  return (
    <Panel title={t('title')}>
      <Alert variant="outline" color="orange" title={t('cannot')}>
        {why}
      </Alert>
    </Panel>
  );
}

function Rehearsal({ slug, percent, isSettled }: { slug: string; percent: number; isSettled: boolean }) {
  const t = useText(messages);
  const query = useQuery({
    queryKey: ['segments', 'rehearsed share', slug, percent],
    queryFn: () => distribute(slug, percent, true),
    placeholderData: (before) => before,
    // True only now.
    staleTime: 0,
    gcTime: 0,
  });
  // Of what kind it is may have been read a while ago.
  if (isProblem(query.error, 409)) {
    return (
      <Alert role="alert" variant="outline" color="orange" title={t('cannot')}>
        <Told text={query.error.message} />
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
          <Apply slug={slug} percent={percent} outcome={outcome} isReady={isReady} at={query.dataUpdatedAt} />
        </Stack>
      )}
    </Loaded>
  );
}

function Outcome({ outcome }: { outcome: Distributed }) {
  const t = useText(messages);
  const formats = useFormats();
  return (
    <>
      <Figures
        items={[
          { name: t('enter'), value: `+${formats.number(outcome.added)}` },
          { name: t('leave'), value: `−${formats.number(outcome.removed)}` },
          { name: t('after'), value: formats.number(outcome.user_count) },
          { name: t('shareAfter'), value: formats.percent(outcome.percent) },
        ]}
      />
      {outcome.added === 0 && outcome.removed === 0 && (
        <Text size="sm" c="dimmed">
          {t('nobody')}
        </Text>
      )}
    </>
  );
}

interface ApplyProps {
  slug: string;
  percent: number;
  outcome: Distributed;
  isReady: boolean;
  at: number;
}

function Apply({ slug, percent, outcome, isReady, at }: ApplyProps) {
  const t = useText(messages);
  const formats = useFormats();
  const [isAsking, setAsking] = useState(false);
  const shown = formats.percent(percent, 4);
  const change = useChange({
    act: () => distribute(slug, percent, false),
    changes: MEMBERSHIPS,
    done: ({ added, removed }) =>
      t('applied', { slug, added: formats.number(added), removed: formats.number(removed) }),
    onDone: () => setAsking(false),
  });
  // Who lets somebody go is asked first.
  const act = () => (outcome.removed > 0 ? setAsking(true) : change.mutate());
  const apply = t('apply', { percent: shown });
  return (
    <>
      <Group>
        <Button onClick={act} disabled={!isReady} loading={change.isPending}>
          {apply}
        </Button>
        <AsOf at={at} />
      </Group>
      {!isAsking && <ProblemAlert error={change.error} />}
      {isAsking && (
        <Confirm
          title={t('confirm', { slug, percent: shown })}
          act={apply}
          isDangerous
          isBusy={change.isPending}
          isImpossible={!isReady}
          error={change.error}
          onConfirm={change.mutate}
          onClose={() => setAsking(false)}
        >
          <Text size="sm">
            {t('confirmAbout', {
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
