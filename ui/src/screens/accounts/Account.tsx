import { Alert, Button, SimpleGrid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useMay } from '../../api/me';
import { isProblem } from '../../api/problem';
import { FactTable, type Fact } from '../../parts/FactTable';
import { AsOf, Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Page } from '../../parts/Page';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Access } from './Access';
import type { Account as AccountView } from './roles';
import { AccountActs } from './AccountActs';
import { AccountHistory } from './AccountHistory';
import { AccountState } from './AccountParts';
import { Identities } from './Identities';
import { accounts } from './messages';
import { accountQuery, useIsOwn } from './queries';

export default function Account() {
  const { accountId = '' } = useParams({ strict: false });
  return <One key={accountId} id={accountId} />;
}

function One({ id }: { id: string }) {
  const t = useText(accounts);
  const may = useMay();
  const query = useQuery({ ...accountQuery(id), enabled: may('accounts.manage') });
  const loaded = query.data;
  const isGone = isProblem(query.error, 404);
  return (
    <Page
      title={loaded?.value.login ?? t('account', { id })}
      beside={loaded && <AccountState account={loaded.value} />}
      needs="accounts.manage"
      actions={loaded && !isGone && <AccountActs loaded={loaded} />}
    >
      <Stack>
        {isGone ? (
          <Alert color="orange" variant="outline" role="alert" title={t('gone')}>
            {t('goneAbout')}
          </Alert>
        ) : (
          <Loaded query={query} height={300}>
            {(tagged) => (
              <SimpleGrid cols={{ base: 1, md: 2 }}>
                <Access loaded={tagged} />
                <Stack>
                  <Facts account={tagged.value} at={query.dataUpdatedAt} />
                  <Identities account={tagged.value} />
                </Stack>
              </SimpleGrid>
            )}
          </Loaded>
        )}
        {(loaded || isGone) && <AccountHistory id={id} />}
      </Stack>
    </Page>
  );
}

function useFacts(account: AccountView): Fact[] {
  const t = useText(accounts);
  const formats = useFormats();
  return [
    [t('login'), account.login],
    [t('role'), t(`role_${account.role}`)],
    [t('means'), account.has_password ? t('meansPassword') : t('meansNone')],
    ...(account.disabled_at
      ? [[t('disabledSince'), <Instant key="off" at={account.disabled_at} inline />] as Fact]
      : []),
    [t('created'), <Instant key="created" at={account.created_at} inline />],
    [t('updated'), <Instant key="updated" at={account.updated_at} inline />],
    [t('version'), formats.number(account.version)],
  ];
}

function Facts({ account, at }: { account: AccountView; at: number }) {
  const t = useText(accounts);
  const isOwn = useIsOwn();
  const facts = useFacts(account);
  return (
    <Panel title={t('facts')} actions={<AsOf at={at} />}>
      <FactTable label={t('facts')} facts={facts} />
      {isOwn(account) && (
        <Button component={Link} to="/profile" variant="default" size="compact-sm">
          {t('mySessions')}
        </Button>
      )}
    </Panel>
  );
}
