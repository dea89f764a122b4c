import { Alert, List, Stack, Text } from '@mantine/core';
import { meQuery, useMe, type Me, type Permission } from '../../api/me';
import { Figures } from '../../parts/Figures';
import { Instant } from '../../parts/Instant';
import { LanguageControl, ThemeControl } from '../../parts/Looks';
import { parts } from '../../parts/messages';
import { NewPassword } from '../../parts/NewPassword';
import { Page } from '../../parts/Page';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { useQueryClient } from '@tanstack/react-query';
import { profile } from './messages';
import { Providers } from './Providers';
import { Sessions } from './Sessions';

/** Oneself: rights, password, sessions, and how the console looks. */
export default function Profile() {
  const t = useText(profile);
  const me = useMe();
  const client = useQueryClient();
  const account = me?.account;
  return (
    <Page title={t('title')} about={t('about')}>
      {me && !account && (
        <Alert color="orange" variant="outline" title={t('open')}>
          {t('openAbout', { actor: me.actor })}
        </Alert>
      )}
      {me && <Who me={me} />}
      {account && (
        <>
          <Panel title={t('password')}>
            <Stack maw={460}>
              {!account.has_password && <Text size="sm">{t('noPassword')}</Text>}
              <NewPassword
                key={String(account.has_password)}
                account={account}
                onDone={() => void client.invalidateQueries({ queryKey: meQuery.queryKey })}
              />
            </Stack>
          </Panel>
          <Providers account={account.id} />
          <Sessions account={account.id} />
        </>
      )}
      <Looks />
    </Page>
  );
}

function Who({ me }: { me: Me }) {
  const t = useText(profile);
  const { account } = me;
  const facts = account
    ? [
        { name: t('login'), value: account.login },
        { name: t('role'), value: t(`role_${account.role}`) },
        { name: t('since'), value: <Instant at={account.created_at} /> },
        ...(me.expires_at ? [{ name: t('until'), value: <Instant at={me.expires_at} /> }] : []),
      ]
    : [];
  return (
    <Panel title={account ? t('who') : t('may')}>
      {facts.length > 0 && <Figures items={facts} />}
      <Stack gap={4} mt="sm">
        {account && (
          <Text fw={600} size="sm">
            {t('may')}
          </Text>
        )}
        <List size="sm">
          {me.permissions.map((permission) => (
            <List.Item key={permission}>{t(`may_${underscored(permission as Permission)}`)}</List.Item>
          ))}
        </List>
      </Stack>
    </Panel>
  );
}

type Underscored<T extends string> = T extends `${infer Noun}.${infer Verb}` ? `${Noun}_${Verb}` : never;

/** A dot would begin another level of messages. */
function underscored<T extends Permission>(permission: T): Underscored<T> {
  return permission.replace('.', '_') as Underscored<T>;
}

function Looks() {
  const t = useText(profile);
  const of = useText(parts);
  return (
    <Panel title={t('looks')}>
      <Stack align="flex-start">
        <Labelled label={of('theme')}>
          <ThemeControl />
        </Labelled>
        <Labelled label={of('language')}>
          <LanguageControl />
        </Labelled>
      </Stack>
    </Panel>
  );
}

function Labelled({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        {label}
      </Text>
      {children}
    </Stack>
  );
}
