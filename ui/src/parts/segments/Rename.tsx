import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, tagged, type Tagged, type Schemas } from '../../api/client';
import { useText } from '../../text';
import { Conflict } from '../Conflict';
import { Loaded } from '../Loaded';
import { parts } from '../messages';
import { Panel } from '../Panel';
import { ProblemAlert } from '../ProblemAlert';
import { segmentQuery } from '../queries';
import { segmentParts } from './messages';
import { slugFault } from './slug';
import { useLeave } from './useLeave';
import { useVersioned } from '../useVersioned';

/** Where to go when the old slug is no more. */
type Away = (slug: string) => Promise<void>;

function useRename(slug: string, loaded: Tagged<Schemas['Segment']> | undefined, away: Away) {
  const t = useText(segmentParts);
  const leave = useLeave(slug);
  // What was typed, and the version that it was typed over.
  const [edit, setEdit] = useState<{ typed: string; base: Tagged<Schemas['Segment']> } | null>(null);
  const change = useVersioned({
    query: segmentQuery(slug),
    keyOf: ({ slug: name }) => segmentQuery(name).queryKey,
    act: (next: string, on) =>
      tagged(
        api.POST('/api/v1/segments/{slug}/rename', {
          params: { path: { slug }, header: { 'If-Match': on.etag } },
          body: { slug: next },
        }),
      ),
    changes: [],
    done: ({ value: renamed }) => t('renamed', { slug, name: renamed.slug }),
    onDone: ({ value: renamed }) => leave(away(renamed.slug)),
  });
  return {
    slug,
    change,
    edit,
    type: (text: string) => {
      const base = edit?.base ?? loaded;
      setEdit(text === '' || !base ? null : { typed: text, base });
    },
    forget: () => {
      setEdit(null);
      change.settle();
    },
  };
}

type Renaming = ReturnType<typeof useRename>;

/** As a part of a screen. */
export function RenamePanel({ loaded, away }: { loaded: Tagged<Schemas['Segment']>; away: Away }) {
  const t = useText(segmentParts);
  const state = useRename(loaded.value.slug, loaded, away);
  return (
    <Panel title={t('rename')}>
      <Form state={state} />
      <RenameConflict state={state} />
    </Panel>
  );
}

interface RenameDialogProps {
  slug: string;
  onClose: () => void;
  onDone: () => void;
}

/** Over a list, which stays; the choice between two versions takes the place of the form. */
export function RenameDialog({ slug, onClose, onDone }: RenameDialogProps) {
  const t = useText(segmentParts);
  const words = useText(parts);
  const query = useQuery(segmentQuery(slug));
  const state = useRename(slug, query.data, () => {
    onDone();
    return Promise.resolve();
  });
  if (state.change.conflict) return <RenameConflict state={state} />;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('renameOf', { slug })}
      closeButtonProps={{ 'aria-label': words('close') }}
    >
      <Loaded query={query} height={200}>
        {() => <Form state={state} autoFocus />}
      </Loaded>
    </Modal>
  );
}

function Form({ state, autoFocus = false }: { state: Renaming; autoFocus?: boolean }) {
  const { slug, change, edit, type } = state;
  const t = useText(segmentParts);
  const isReady = edit !== null && edit.typed !== slug;
  const fault = slugFault(change.error);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !change.isBusy) change.save(edit.typed, edit.base);
      }}
    >
      <Stack maw={640}>
        <Text size="sm" c="dimmed" maw="70ch">
          {t('renameAbout')}
        </Text>
        <TextInput
          label={t('newSlug')}
          description={t('slugHint')}
          placeholder={slug}
          value={edit?.typed ?? ''}
          onChange={(event) => type(event.currentTarget.value.trim())}
          autoComplete="off"
          spellCheck={false}
          autoFocus={autoFocus}
          error={fault}
        />
        {!change.conflict && !fault && <ProblemAlert error={change.error} />}
        <Group>
          <Button type="submit" variant="default" disabled={!isReady} loading={change.isBusy}>
            {t('rename')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function RenameConflict({ state: { change, edit, forget } }: { state: Renaming }) {
  const t = useText(segmentParts);
  const { conflict } = change;
  if (!conflict || !edit) return null;
  const [mine, now] = [edit.base.value, conflict.theirs.value];
  return (
    <Conflict
      title={t('conflict')}
      about={t('conflictAbout', { version: now.version })}
      rows={[
        { name: t('slug'), mine: conflict.values, theirs: now.slug },
        { name: t('name'), mine: mine.name, theirs: now.name },
        { name: t('description'), mine: mine.description, theirs: now.description },
        { name: t('defaultTtl'), mine: mine.default_ttl ?? null, theirs: now.default_ttl ?? null },
      ]}
      isBusy={change.isBusy}
      error={change.error}
      onTheirs={forget}
      onMine={() => change.save(conflict.values, conflict.theirs)}
      onClose={change.settle}
    />
  );
}
