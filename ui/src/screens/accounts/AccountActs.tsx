import { Alert, Button, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok, type Tagged, type Schemas } from '../../api/client';
import { isProblem } from '../../api/problem';
import { isAbout, useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { useText } from '../../text';
import { stateOf } from './roles';
import { accounts } from './messages';
import { accountQuery, useIsOwn, usePatch, useVersionGuard } from './queries';
import { LinkDialog } from './SignInLink';

type Act = 'link' | 'end' | 'switch' | 'remove';

export function AccountActs({ loaded }: { loaded: Tagged<Schemas['Account']> }) {
  const t = useText(accounts);
  const [act, setAct] = useState<Act | null>(null);
  const isActive = stateOf(loaded.value) === 'active';
  const close = () => setAct(null);
  return (
    <>
      {isActive && (
        <Button variant="default" onClick={() => setAct('link')}>
          {t('makeLink')}
        </Button>
      )}
      {isActive && (
        <Button variant="default" onClick={() => setAct('end')}>
          {t('endSessions')}
        </Button>
      )}
      <Button variant="default" onClick={() => setAct('switch')}>
        {isActive ? t('disable') : t('enable')}
      </Button>
      <Button variant="outline" color="red.9" onClick={() => setAct('remove')}>
        {t('remove')}
      </Button>
      {act === 'link' && <LinkDialog account={loaded.value} onClose={close} />}
      {act === 'end' && <EndSessions loaded={loaded} onClose={close} />}
      {act === 'switch' && <Switch loaded={loaded} onClose={close} />}
      {act === 'remove' && <Remove loaded={loaded} onClose={close} />}
    </>
  );
}

interface ActProps {
  loaded: Tagged<Schemas['Account']>;
  onClose: () => void;
}

function About({
  loaded,
  about,
  error,
}: {
  loaded: Tagged<Schemas['Account']>;
  about: string;
  error: unknown;
}) {
  const t = useText(accounts);
  const isOwn = useIsOwn();
  return (
    <Stack gap="xs">
      <Text size="sm">{about}</Text>
      {isOwn(loaded.value) && (
        <Alert color="orange" variant="outline">
          {t('ownWarning')}
        </Alert>
      )}
      {isProblem(error, 412) && (
        <Alert color="orange" variant="outline" role="alert" title={t('conflict')}>
          {t('conflictAgain')}
        </Alert>
      )}
    </Stack>
  );
}

/** The other words say it already. */
const besides412 = (error: unknown) => (isProblem(error, 412) ? null : error);

function EndSessions({ loaded, onClose }: ActProps) {
  const t = useText(accounts);
  const { id, login } = loaded.value;
  const change = useChange({
    act: () => ok(api.POST('/api/v1/accounts/{id}/sign_out', { params: { path: { id: String(id) } } })),
    changes: ['accounts', 'audit', 'me'],
    done: ({ sessions_ended }) => t('ended', { count: sessions_ended }),
    onDone: onClose,
  });
  return (
    <Confirm
      title={t('endTitle', { login })}
      act={t('endSessions')}
      isBusy={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate()}
      onClose={onClose}
    >
      <About loaded={loaded} about={t('endAbout')} error={change.error} />
    </Confirm>
  );
}

function Switch({ loaded, onClose }: ActProps) {
  const t = useText(accounts);
  const { value, etag } = loaded;
  // What was asked stays asked, whatever the account becomes meanwhile.
  const [isDisabling] = useState(stateOf(value) === 'active');
  const change = usePatch({
    id: String(value.id),
    done: ({ login }) => (isDisabling ? t('disabled', { login }) : t('enabled', { login })),
    onDone: onClose,
  });
  const { login } = value;
  return (
    <Confirm
      title={isDisabling ? t('disableTitle', { login }) : t('enableTitle', { login })}
      act={isDisabling ? t('disable') : t('enable')}
      isDangerous={isDisabling}
      isBusy={change.isPending}
      error={besides412(change.error)}
      onConfirm={() => change.mutate({ patch: { disabled: isDisabling }, etag })}
      onClose={onClose}
    >
      <About
        loaded={loaded}
        about={isDisabling ? t('disableAbout') : t('enableAbout')}
        error={change.error}
      />
    </Confirm>
  );
}

function useRemove({ value, etag }: Tagged<Schemas['Account']>) {
  const t = useText(accounts);
  const client = useQueryClient();
  const navigate = useNavigate();
  const id = String(value.id);
  const guarded = useVersionGuard(id);
  return useChange({
    act: () =>
      guarded(() =>
        ok(api.DELETE('/api/v1/accounts/{id}', { params: { path: { id }, header: { 'If-Match': etag } } })),
      ),
    changes: [],
    done: () => t('removed', { login: value.login }),
    onDone: () =>
      // First away from the screen, or it would ask for what is gone.
      void navigate({ to: '/accounts', search: {} as never, replace: true }).then(() => {
        client.removeQueries({ queryKey: accountQuery(id).queryKey });
        return client.invalidateQueries({ predicate: isAbout(['accounts', 'audit', 'me']) });
      }),
  });
}

function Remove({ loaded, onClose }: ActProps) {
  const t = useText(accounts);
  const { login } = loaded.value;
  const change = useRemove(loaded);
  return (
    <Confirm
      title={t('removeTitle', { login })}
      act={t('remove')}
      word={login}
      isDangerous
      isBusy={change.isPending}
      error={besides412(change.error)}
      onConfirm={() => change.mutate()}
      onClose={onClose}
    >
      <About loaded={loaded} about={t('removeAbout')} error={change.error} />
    </Confirm>
  );
}
