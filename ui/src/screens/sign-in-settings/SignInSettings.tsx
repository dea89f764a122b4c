import { Alert, Badge, Code, List, SimpleGrid, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Page } from '../../parts/Page';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { KINDS } from './addresses';
import { signInSettings } from './messages';
import { OtherProviders, Provider } from './Provider';
import { SettingNames } from './SettingNames';

type Settings = Schemas['SignInSettings'];

/** How people sign in. What stands here is of the service's own settings, and is only shown. */
export default function SignInSettings() {
  const t = useText(signInSettings);
  const may = useMay();
  const query = useQuery({
    queryKey: ['accounts', 'sign-in settings'],
    queryFn: () => ok(api.GET('/api/v1/settings/sign_in')),
    enabled: may('accounts.manage'),
  });
  return (
    <Page
      title={t('title')}
      about={t('about')}
      needs="accounts.manage"
      beside={<AsOf at={query.dataUpdatedAt} />}
    >
      <Alert variant="outline" color="gray" title={t('readOnlyTitle')}>
        <Text size="sm">{t('readOnlyAbout')}</Text>
        <Text size="sm">{t('readOnlyWhy')}</Text>
      </Alert>
      <Loaded query={query} height={480}>
        {(settings) => (
          <Stack>
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <Needed settings={settings} />
              <Password settings={settings} />
            </SimpleGrid>
            {KINDS.map((kind) => (
              <Provider key={kind} kind={kind} settings={settings} />
            ))}
            <OtherProviders settings={settings} />
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <SignUp settings={settings} />
              <Outside settings={settings} />
            </SimpleGrid>
            <Lifetimes settings={settings} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Needed({ settings }: { settings: Settings }) {
  const t = useText(signInSettings);
  const badge = settings.open ? (
    <Badge color="red" variant="outline" c="var(--mantine-color-text)">
      {t('isOpen')}
    </Badge>
  ) : (
    <Badge color="teal" variant="outline" c="var(--mantine-color-text)">
      {t('isNeeded')}
    </Badge>
  );
  return (
    <Panel title={t('needed')} actions={badge}>
      <Text size="sm">{settings.open ? t('openAbout') : t('neededAbout')}</Text>
      <SettingNames flags={['strata serve --open']} />
    </Panel>
  );
}

function Password({ settings }: { settings: Settings }) {
  const t = useText(signInSettings);
  return (
    <Panel title={t('password')}>
      <Text size="sm">
        {t('passwordAbout', { min: settings.password_length_min, max: settings.password_length_max })}
      </Text>
      <Text size="sm" c="dimmed">
        {t('fixed')}
      </Text>
    </Panel>
  );
}

function SignUp({ settings }: { settings: Settings }) {
  const t = useText(signInSettings);
  return (
    <Panel title={t('signUp')}>
      <Text size="sm">{settings.sign_up_domains.length > 0 ? t('signUpAbout') : t('signUpNone')}</Text>
      {settings.sign_up_domains.length > 0 && (
        <List size="sm">
          {settings.sign_up_domains.map((domain) => (
            <List.Item key={domain} className="breaks">
              {domain}
            </List.Item>
          ))}
        </List>
      )}
      <SettingNames keys={['sign_up_domains']} />
    </Panel>
  );
}

function Outside({ settings }: { settings: Settings }) {
  const t = useText(signInSettings);
  return (
    <Panel title={t('outside')}>
      {settings.public_url === null ? (
        <Text size="sm">{t('outsideNone')}</Text>
      ) : (
        <Code block>{settings.public_url}</Code>
      )}
      <SettingNames keys={['public_url']} />
    </Panel>
  );
}

function Lifetimes({ settings }: { settings: Settings }) {
  const t = useText(signInSettings);
  const rows = [
    [t('session'), t('hours', { count: settings.session_hours })],
    [t('accessToken'), t('minutes', { count: settings.access_token_minutes })],
    [t('refreshToken'), t('days', { count: settings.refresh_token_days })],
    [t('sessionMax'), t('days', { count: settings.session_days_max })],
    [t('sessionsMax'), String(settings.sessions_max)],
    [t('link'), t('hours', { count: settings.link_hours })],
  ] as const;
  return (
    <Panel title={t('lifetimes')}>
      <Table aria-label={t('lifetimes')} maw={720}>
        <Table.Tbody>
          {rows.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={400}>
                {name}
              </Table.Th>
              <Table.Td ta="right" className="number">
                {value}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="sm" c="dimmed">
        {t('fixed')}
      </Text>
    </Panel>
  );
}
