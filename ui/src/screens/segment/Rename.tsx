import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, tagged } from '../../api/client';
import { faultOf } from '../../api/problem';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { Conflict } from './Conflict';
import { segment as messages } from './messages';
import { useLeave } from './useLeave';
import { useVersioned, type Tagged } from './useVersioned';

function useRename(slug: string) {
  const t = useText(messages);
  const navigate = useNavigate();
  const leave = useLeave(slug);
  return useVersioned<string>({
    slug,
    act: (next, on) =>
      tagged(
        api.POST('/api/v1/segments/{slug}/rename', {
          params: { path: { slug }, header: { 'If-Match': on.etag } },
          body: { slug: next },
        }),
      ),
    changes: [],
    done: ({ value: renamed }) => t('renamed', { slug, name: renamed.slug }),
    onDone: ({ value: renamed }) =>
      leave(
        navigate({
          to: '/segments/$slug',
          params: { slug: renamed.slug } as never,
          search: { tab: 'settings' } as never,
          replace: true,
        }),
      ),
  });
}

export function Rename({ loaded }: { loaded: Tagged }) {
  const t = useText(messages);
  const { slug } = loaded.value;
  const [edit, setEdit] = useState<{ typed: string; base: Tagged } | null>(null);
  const typed = edit?.typed ?? '';
  const change = useRename(slug);
  const { conflict } = change;
  const isReady = edit !== null && typed !== slug;
  return (
    <Panel title={t('rename')}>
      <Text size="sm" c="dimmed" maw="70ch">
        {t('renameAbout')}
      </Text>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !change.isBusy) change.save(typed, edit.base);
        }}
      >
        <Stack maw={640}>
          <TextInput
            label={t('newSlug')}
            description={t('slugHint')}
            placeholder={slug}
            value={typed}
            onChange={(event) => {
              const text = event.currentTarget.value.trim();
              setEdit(text === '' ? null : { typed: text, base: edit?.base ?? loaded });
            }}
            autoComplete="off"
            spellCheck={false}
            error={faultOf(change.error, 'slug')}
          />
          {!conflict && <ProblemAlert error={change.error} />}
          <Group>
            <Button type="submit" variant="default" disabled={!isReady} loading={change.isBusy}>
              {t('rename')}
            </Button>
          </Group>
        </Stack>
      </form>
      {conflict && edit && (
        <RenameConflict
          next={conflict.values}
          base={edit.base}
          theirs={conflict.theirs}
          change={change}
          onTheirs={() => {
            setEdit(null);
            change.settle();
          }}
        />
      )}
    </Panel>
  );
}

interface RenameConflictProps {
  next: string;
  base: Tagged;
  theirs: Tagged;
  change: ReturnType<typeof useVersioned<string>>;
  onTheirs: () => void;
}

function RenameConflict({ next, base, theirs, change, onTheirs }: RenameConflictProps) {
  const t = useText(messages);
  const [mine, now] = [base.value, theirs.value];
  return (
    <Conflict
      version={now.version}
      rows={[
        { name: t('slug'), mine: next, theirs: now.slug },
        { name: t('name'), mine: mine.name, theirs: now.name },
        { name: t('description'), mine: mine.description, theirs: now.description },
        { name: t('defaultTtl'), mine: mine.default_ttl ?? '', theirs: now.default_ttl ?? '' },
      ]}
      isBusy={change.isBusy}
      error={change.error}
      onTheirs={onTheirs}
      onMine={() => change.save(next, theirs)}
      onClose={change.settle}
    />
  );
}
