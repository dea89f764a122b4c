import { Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, tagged, type Tagged, type Schemas } from '../../api/client';
import { faultOf } from '../../api/problem';
import { Conflict } from '../../parts/Conflict';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { segmentQuery } from '../../parts/queries';
import { useText } from '../../text';
import { draftOf, isSame, patchOf, rebased, type Draft } from './fields';
import { segmentParts } from '../../parts/segments/messages';
import { segment as messages } from './messages';
import { useVersioned } from '../../parts/useVersioned';

/** What was typed, and the version that it was typed over: the one fetched since may be another. */
interface Edit {
  draft: Draft;
  base: Tagged<Schemas['Segment']>;
}

function useDetails(loaded: Tagged<Schemas['Segment']>) {
  const t = useText(messages);
  const { slug } = loaded.value;
  const [edit, setEdit] = useState<Edit | null>(null);
  const base = edit?.base ?? loaded;
  const draft = edit?.draft ?? draftOf(loaded.value);
  const change = useVersioned({
    query: segmentQuery(slug),
    act: (values: Draft, on) =>
      tagged(
        api.PATCH('/api/v1/segments/{slug}', {
          params: { path: { slug }, header: { 'If-Match': on.etag } },
          body: patchOf(values, on.value),
        }),
      ),
    changes: ['segments'],
    done: () => t('saved', { slug }),
    onDone: () => setEdit(null),
  });
  const type = (patch: Partial<Draft>) => {
    const next = { ...draft, ...patch };
    setEdit(isSame(next, draftOf(base.value)) ? null : { draft: next, base });
  };
  return { edit, draft, base, change, type, forget: () => setEdit(null) };
}

/** Name, description and default term; another's version is never written over unseen. */
export function Details({ loaded }: { loaded: Tagged<Schemas['Segment']> }) {
  const t = useText(messages);
  const { edit, draft, base, change, type, forget } = useDetails(loaded);
  const { conflict } = change;
  return (
    <Panel title={t('details')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (edit && !change.isBusy) change.save(draft, base);
        }}
      >
        <Stack maw={640}>
          <Fields draft={draft} error={change.error} isBusy={change.isBusy} onType={type} />
          {!conflict && <ProblemAlert error={change.error} />}
          <Group>
            <Button type="submit" disabled={!edit} loading={change.isBusy}>
              {t('save')}
            </Button>
            {edit && (
              <>
                <Button variant="default" onClick={forget} disabled={change.isBusy}>
                  {t('discard')}
                </Button>
                <Text size="sm" c="dimmed" role="status">
                  {t('unsaved')}
                </Text>
              </>
            )}
          </Group>
        </Stack>
      </form>
      {conflict && (
        <DetailsConflict
          mine={rebased(draft, base.value, conflict.theirs.value)}
          theirs={conflict.theirs}
          change={change}
          onTheirs={() => {
            forget();
            change.settle();
          }}
        />
      )}
    </Panel>
  );
}

interface FieldsProps {
  draft: Draft;
  error: unknown;
  isBusy: boolean;
  onType: (patch: Partial<Draft>) => void;
}

function Fields({ draft, error, isBusy, onType }: FieldsProps) {
  const t = useText(messages);
  return (
    <>
      <TextInput
        label={t('name')}
        description={t('nameHint')}
        value={draft.name}
        readOnly={isBusy}
        onChange={(event) => onType({ name: event.currentTarget.value })}
        error={faultOf(error, 'name')}
      />
      <Textarea
        label={t('description')}
        description={t('descriptionHint')}
        autosize
        minRows={2}
        maxRows={12}
        value={draft.description}
        readOnly={isBusy}
        onChange={(event) => onType({ description: event.currentTarget.value })}
        error={faultOf(error, 'description')}
      />
      <TextInput
        label={t('defaultTtl')}
        description={t('ttlHint')}
        value={draft.default_ttl}
        readOnly={isBusy}
        spellCheck={false}
        onChange={(event) => onType({ default_ttl: event.currentTarget.value })}
        error={faultOf(error, 'default_ttl')}
      />
    </>
  );
}

interface DetailsConflictProps {
  mine: Draft;
  theirs: Tagged<Schemas['Segment']>;
  change: ReturnType<typeof useDetails>['change'];
  onTheirs: () => void;
}

function DetailsConflict({ mine, theirs, change, onTheirs }: DetailsConflictProps) {
  const t = useText(segmentParts);
  const now = draftOf(theirs.value);
  return (
    <Conflict
      title={t('conflict')}
      about={t('conflictAbout', { version: theirs.value.version })}
      rows={[
        { name: t('name'), mine: mine.name, theirs: now.name },
        { name: t('description'), mine: mine.description, theirs: now.description },
        { name: t('defaultTtl'), mine: mine.default_ttl, theirs: now.default_ttl },
      ]}
      isBusy={change.isBusy}
      error={change.error}
      onTheirs={onTheirs}
      onMine={() => change.save(mine, theirs)}
      onClose={change.settle}
    />
  );
}
