import { Anchor, Button, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, csrf, ok, sessionEnded } from '../api/client';
import { meQuery, useMe, type Me } from '../api/me';
import { useChange } from '../parts/changes';
import { PasswordField } from '../parts/PasswordField';
import { ProblemAlert } from '../parts/ProblemAlert';
import { providersQuery } from '../parts/queries';
import { useText } from '../text';
import { shell } from './messages';

/** A session ended while somebody worked: they sign in over what they see, and go on where they were. */
export default function SignInAgain() {
  const t = useText(shell);
  const client = useQueryClient();
  const before = useMe()?.account;
  const [login, setLogin] = useState(before?.login ?? '');
  const [password, setPassword] = useState('');
  const providers = useQuery(providersQuery);

  const goOn = (id: number | undefined) => {
    // What another person may not see must not stay on the page.
    if (before && id !== before.id) {
      globalThis.location.reload();
      return;
    }
    sessionEnded.set(false);
    void client.invalidateQueries();
  };
  const signIn = useChange({
    act: () => ok(api.POST('/api/v1/auth/session', { body: { login, password } })),
    changes: [],
    onDone: ({ account, csrf_token }) => {
      csrf.set(csrf_token);
      goOn(account.id);
    },
  });
  useEffect(() => {
    const look = async () => {
      if (document.visibilityState !== 'visible') return;
      const me: Me | null = await client
        .fetchQuery({ ...meQuery, queryKey: ['me', 'again'], staleTime: 0 })
        .catch(() => null);
      if (!me?.account) return;
      goOn(me.account.id);
    };
    const listener = () => void look();
    document.addEventListener('visibilitychange', listener);
    return () => document.removeEventListener('visibilitychange', listener);
  });
  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t('endedTitle')}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate();
        }}
      >
        <Stack>
          <Text size="sm">{t('endedAbout')}</Text>
          <TextInput
            label={t('login')}
            value={login}
            onChange={(event) => setLogin(event.currentTarget.value)}
            autoComplete="username"
            required
          />
          <PasswordField
            label={t('password')}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            autoComplete="current-password"
            required
            data-autofocus
          />
          <ProblemAlert error={signIn.error} />
          <Button type="submit" loading={signIn.isPending}>
            {t('signIn')}
          </Button>
          {(providers.data?.items.length ?? 0) > 0 && (
            <>
              <Text size="xs" c="dimmed">
                {t('providerTab')}
              </Text>
              {providers.data?.items.map(({ provider, title }) => (
                <Anchor
                  key={provider}
                  href={`/api/v1/auth/providers/${encodeURIComponent(provider)}`}
                  target="_blank"
                  rel="noreferrer"
                >
                  {t('signInWith', { title })}
                </Anchor>
              ))}
            </>
          )}
        </Stack>
      </form>
    </Modal>
  );
}
