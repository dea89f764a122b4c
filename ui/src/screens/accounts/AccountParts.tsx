import { Anchor, Badge, Group, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useText } from '../../text';
import { stateOf, type Account } from './roles';
import { accounts } from './messages';
import { useIsOwn } from './queries';

export function AccountState({ account }: { account: Account }) {
  const t = useText(accounts);
  const state = stateOf(account);
  return (
    <Badge variant="outline" color={state === 'active' ? 'teal' : 'gray'}>
      {t(`state_${state}`)}
    </Badge>
  );
}

export function AccountLink({ account }: { account: Account }) {
  const t = useText(accounts);
  const isOwn = useIsOwn();
  return (
    <Group gap={6} wrap="nowrap">
      <Anchor
        component={Link}
        to="/accounts/$accountId"
        params={{ accountId: String(account.id) } as never}
        size="sm"
        className="breaks"
      >
        {account.login}
      </Anchor>
      {isOwn(account) && (
        <Text span size="xs" c="dimmed">
          {t('you')}
        </Text>
      )}
    </Group>
  );
}

/** `viewer, sees personal data, disabled`: in a line. */
export function useInShort(): (account: Account) => string {
  const t = useText(accounts);
  return (account) =>
    [
      t(`role_${account.role}`),
      ...(account.role === 'viewer' && account.sees_persons ? [t('seesPersonsShort')] : []),
      t(`state_${stateOf(account)}`),
    ].join(', ');
}
