import { Button, Group, Modal, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../api/client';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { MEMBERSHIPS, useChange } from '../changes';
import { Confirm } from '../Confirm';
import { AsOf } from '../Instant';
import { parts } from '../messages';
import { Panel } from '../Panel';
import { ProblemAlert } from '../ProblemAlert';
import { segmentParts } from './messages';
import { slugFault } from './slug';

function copy(slug: string, copying: Schemas['Copying'], isDry: boolean) {
  const query = isDry ? { dry_run: true } : {};
  return ok(api.POST('/api/v1/segments/{slug}/copy', { params: { path: { slug }, query }, body: copying }));
}

/** Asks first how many come along, and says so before the copy is made. */
function useCopy(slug: string) {
  const [copying, setCopying] = useState({ slug: '', members: true });
  const [count, setCount] = useState<number | null>(null);
  const rehearsal = useChange({
    act: () => copy(slug, copying, true),
    changes: [],
    onDone: (found) => setCount('user_count' in found ? found.user_count : 0),
  });
  return { slug, copying, setCopying, count, goBack: () => setCount(null), rehearsal };
}

type Copying = ReturnType<typeof useCopy>;

/** As a part of a screen. */
export function CopyPanel({ slug }: { slug: string }) {
  const t = useText(segmentParts);
  const state = useCopy(slug);
  return (
    <Panel title={t('copy')}>
      <Form state={state} />
      {state.count !== null && <ConfirmCopy state={state} count={state.count} />}
    </Panel>
  );
}

/** Over a list; the question takes the place of the form. */
export function CopyDialog({ slug, onClose }: { slug: string; onClose: () => void }) {
  const t = useText(segmentParts);
  const words = useText(parts);
  const state = useCopy(slug);
  if (state.count !== null) return <ConfirmCopy state={state} count={state.count} />;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('copyOf', { slug })}
      closeButtonProps={{ 'aria-label': words('close') }}
    >
      <Form state={state} />
    </Modal>
  );
}

function Form({ state: { copying, setCopying, rehearsal } }: { state: Copying }) {
  const t = useText(segmentParts);
  const fault = slugFault(rehearsal.error);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (copying.slug && !rehearsal.isPending) rehearsal.mutate();
      }}
    >
      <Stack maw={640}>
        <Text size="sm" c="dimmed">
          {t('copyAbout')}
        </Text>
        <TextInput
          label={t('copySlug')}
          description={t('slugHint')}
          value={copying.slug}
          onChange={(event) => setCopying({ ...copying, slug: event.currentTarget.value.trim() })}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          error={fault}
        />
        <Switch
          label={t('copyMembers')}
          checked={copying.members}
          onChange={(event) => setCopying({ ...copying, members: event.currentTarget.checked })}
        />
        {!fault && <ProblemAlert error={rehearsal.error} />}
        <Group>
          <Button type="submit" variant="default" disabled={!copying.slug} loading={rehearsal.isPending}>
            {t('copyCheck')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function ConfirmCopy({ state: { slug, copying, goBack }, count }: { state: Copying; count: number }) {
  const t = useText(segmentParts);
  const formats = useFormats();
  const navigate = useNavigate();
  // It opens with the answer.
  const [at] = useState(() => Date.now());
  const change = useChange({
    act: () => copy(slug, copying, false),
    changes: MEMBERSHIPS,
    done: () => t('copied', { slug, copy: copying.slug }),
    onDone: () => void navigate({ to: '/segments/$slug', params: { slug: copying.slug } as never }),
  });
  return (
    <Confirm
      title={t('copyConfirm', { slug, copy: copying.slug })}
      act={t('copyAct')}
      isBusy={change.isPending}
      error={change.error}
      onConfirm={change.mutate}
      onClose={goBack}
    >
      <Text size="sm">{t('copyCount', { count, shown: formats.number(count) })}</Text>
      <AsOf at={at} />
    </Confirm>
  );
}
