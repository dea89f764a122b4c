import {
  Alert,
  Button,
  Center,
  Divider,
  Group,
  Paper,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { api, csrf, ok, type Schemas } from '../../api/client';
import { meQuery } from '../../api/me';
import { isProblem } from '../../api/problem';
import { useChange } from '../../parts/changes';
import { LanguageControl } from '../../parts/Looks';
import { NewPassword } from '../../parts/NewPassword';
import { PasswordField } from '../../parts/PasswordField';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { providersQuery } from '../../parts/queries';
import { useText } from '../../text';
import { heldBy, sentenceOf, type Held } from './held';
import { signIn as messages } from './messages';

/** Read once, and gone from the address at once: nobody copies a code with it, and it is sent once. */
let held: Held | undefined;
function takeHeld(): Held {
  if (held === undefined || globalThis.location.hash !== '') {
    held = heldBy(globalThis.location.hash);
    globalThis.history.replaceState(
      globalThis.history.state,
      '',
      globalThis.location.pathname + globalThis.location.search,
    );
  }
  return held;
}

/** One sends it, whoever renders again waits for the same answer. */
const followed = new Map<string, Promise<Schemas['SignedIn']>>();
function follow(code: string): Promise<Schemas['SignedIn']> {
  const begun = followed.get(code) ?? ok(api.POST('/api/v1/auth/link', { body: { code } }));
  followed.set(code, begun);
  // What was not answered may be sent again.
  begun.catch(() => followed.delete(code));
  return begun;
}

/** Goes on to where somebody wanted to be; nothing of another person stays. */
function useGoOn(): () => void {
  const { next } = useSearch({ strict: false });
  const client = useQueryClient();
  const router = useRouter();
  return () => {
    client.clear();
    held = null;
    followed.clear();
    router.history.replace(next ?? '/');
  };
}

export default function SignIn() {
  const t = useText(messages);
  useDocumentTitle(`${t('title')} · Strata`);
  const [inHand] = useState(takeHeld);
  const code = inHand && 'code' in inHand ? inHand.code : null;
  const problem = inHand && 'problem' in inHand ? inHand.problem : null;
  const byLink = useQuery({
    queryKey: ['link', code],
    queryFn: () => follow(code ?? ''),
    enabled: code !== null,
    staleTime: Infinity,
    retry: false,
  });
  // A link that is pasted into this very page changes nothing but what stands behind the #.
  useEffect(() => {
    const again = () => globalThis.location.reload();
    globalThis.addEventListener('hashchange', again);
    return () => globalThis.removeEventListener('hashchange', again);
  }, []);
  if (byLink.data) return <ByLink signedIn={byLink.data} />;
  if (code !== null && !byLink.isError) {
    return (
      <Frame title={t('title')}>
        <Text role="status">{t('byLink')}</Text>
        <Skeleton height={120} />
      </Frame>
    );
  }
  return (
    <Frame title={t('title')}>
      {isProblem(byLink.error, 401) ? (
        <Alert color="orange" variant="outline" role="alert" title={t('linkFailed')} />
      ) : (
        <ProblemAlert error={byLink.error} onRetry={() => void byLink.refetch()} />
      )}
      {problem !== null && (
        <Alert color="orange" variant="outline" role="alert" title={t(`problem_${sentenceOf(problem)}`)} />
      )}
      <Form isTold={problem !== null} />
    </Frame>
  );
}

/** By a link somebody comes in for the first time, or because the password is lost. */
function ByLink({ signedIn }: { signedIn: Schemas['SignedIn'] }) {
  const t = useText(messages);
  const goOn = useGoOn();
  const { account, csrf_token } = signedIn;
  useEffect(() => csrf.set(csrf_token), [csrf_token]);
  useEffect(() => {
    if (account.has_password) goOn();
  });
  if (account.has_password) return null;
  return (
    <Frame title={t('welcome', { login: account.login })}>
      <Text size="sm">{t('welcomeAbout')}</Text>
      <NewPassword account={account} onDone={goOn}>
        <Button variant="default" onClick={goOn}>
          {t('later')}
        </Button>
      </NewPassword>
    </Frame>
  );
}

/** Whoever is in goes on at once, unless there is something to read first. */
function Form({ isTold }: { isTold: boolean }) {
  const t = useText(messages);
  const goOn = useGoOn();
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const field = useRef<HTMLInputElement>(null);
  // Whoever is signed in already, and whoever needs not be, has nothing to do here.
  const me = useQuery({ ...meQuery, staleTime: 0 });
  const isIn = me.data !== null && me.data !== undefined;
  useEffect(() => {
    if (isIn && !isTold) goOn();
  });
  const enter = useChange({
    act: () => ok(api.POST('/api/v1/auth/session', { body: { login, password } })),
    changes: [],
    onDone({ csrf_token }) {
      csrf.set(csrf_token);
      goOn();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (enter.isPending) return;
        enter.mutate(undefined, {
          onError() {
            field.current?.select();
          },
        });
      }}
    >
      <Stack>
        <TextInput
          label={t('login')}
          value={login}
          onChange={(event) => setLogin(event.currentTarget.value)}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          autoFocus
        />
        <PasswordField
          ref={field}
          label={t('password')}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          required
        />
        <ProblemAlert error={enter.error} />
        {me.isError && <ProblemAlert error={me.error} onRetry={() => void me.refetch()} />}
        <Button type="submit" loading={enter.isPending}>
          {t('submit')}
        </Button>
        {isIn && (
          <Button variant="default" onClick={goOn}>
            {t('goOn')}
          </Button>
        )}
        <Providers />
        <Text size="xs" c="dimmed">
          {t('forgotten')}
        </Text>
      </Stack>
    </form>
  );
}

function Providers() {
  const t = useText(messages);
  const providers = useQuery(providersQuery);
  const items = providers.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <>
      <Divider label={t('or')} />
      {items.map(({ provider, title }) => (
        <Button
          key={provider}
          component="a"
          href={`/api/v1/auth/providers/${encodeURIComponent(provider)}`}
          variant="default"
        >
          {t('with', { title })}
        </Button>
      ))}
    </>
  );
}

function Frame({ title, children }: { title: string; children: ReactNode }) {
  const t = useText(messages);
  return (
    <Stack component="main" maw={400} mx="auto" px="md" py="xl" mih="100dvh" justify="center">
      <Group gap={10} justify="center">
        <img src="/icon.svg" alt="" width={34} height={34} />
        <div>
          <Text fw={700} size="lg" lh={1.1}>
            {t('brand')}
          </Text>
          <Text size="xs" c="dimmed">
            {t('about')}
          </Text>
        </div>
      </Group>
      <Paper withBorder p="lg" radius="md">
        <Stack>
          <Title order={1}>{title}</Title>
          {children}
        </Stack>
      </Paper>
      <Center>
        <LanguageControl size="xs" />
      </Center>
    </Stack>
  );
}
