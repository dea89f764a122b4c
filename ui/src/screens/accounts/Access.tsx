import type { Tagged, Schemas } from '../../api/client';
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { isProblem } from '../../api/problem';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { AccessFields } from './AccessFields';
import { patchOf, type AccessDraft } from './roles';
import { useInShort } from './AccountParts';
import { accounts } from './messages';
import { useIsOwn, usePatch } from './queries';

/** The role and the grant, changed on the version that somebody saw when they began. */
export function Access({ loaded }: { loaded: Tagged<Schemas['Account']> }) {
  const t = useText(accounts);
  const isOwn = useIsOwn();
  const [edit, setEdit] = useState<{ draft: AccessDraft; base: Tagged<Schemas['Account']> } | null>(null);
  const change = usePatch({
    id: String(loaded.value.id),
    done: ({ login }) => t('saved', { login }),
    onDone: () => setEdit(null),
  });
  const draft = edit?.draft ?? loaded.value;
  const base = edit?.base ?? loaded;
  const isDirty = Object.keys(patchOf(base.value, draft)).length > 0;
  const isConflict = isProblem(change.error, 412);
  // Only what was changed here, also over a version that another changed elsewhere.
  const save = ({ etag }: Tagged<Schemas['Account']>) =>
    change.mutate({ patch: patchOf(base.value, draft), etag });
  return (
    <Panel title={t('access')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isDirty && !isConflict && !change.isPending) save(base);
        }}
      >
        <Stack>
          <AccessFields
            draft={draft}
            error={change.error}
            onChange={({ role, sees_persons }) => setEdit({ draft: { role, sees_persons }, base })}
          />
          <Text size="xs" c="dimmed">
            {isOwn(loaded.value) ? t('ownRole') : t('accessAbout')}
          </Text>
          {isConflict ? (
            <Conflict
              theirs={loaded}
              isBusy={change.isPending}
              onMine={() => save(loaded)}
              onTheirs={() => {
                setEdit(null);
                change.reset();
              }}
            />
          ) : (
            <>
              <ProblemAlert error={change.error} />
              <Group>
                <Button type="submit" disabled={!isDirty} loading={change.isPending}>
                  {t('save')}
                </Button>
                {isDirty && (
                  <Button
                    variant="default"
                    onClick={() => {
                      setEdit(null);
                      change.reset();
                    }}
                  >
                    {t('cancel')}
                  </Button>
                )}
              </Group>
            </>
          )}
        </Stack>
      </form>
    </Panel>
  );
}

interface ConflictProps {
  theirs: Tagged<Schemas['Account']>;
  isBusy: boolean;
  onMine: () => void;
  onTheirs: () => void;
}

function Conflict({ theirs, isBusy, onMine, onTheirs }: ConflictProps) {
  const t = useText(accounts);
  const inShort = useInShort();
  return (
    <Alert role="alert" color="orange" variant="outline" title={t('conflict')}>
      <Text size="sm">{t('conflictNow', { state: inShort(theirs.value) })}</Text>
      <Group gap="xs" mt="xs">
        <Button size="compact-sm" variant="default" onClick={onTheirs}>
          {t('takeTheirs')}
        </Button>
        <Button size="compact-sm" loading={isBusy} onClick={onMine}>
          {t('saveMine')}
        </Button>
      </Group>
    </Alert>
  );
}
