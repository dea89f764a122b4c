import { Button, Group, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { api, ok, type Schemas } from '../api/client';
import { faultOf } from '../api/problem';
import { useText } from '../text';
import { useChange } from './changes';
import { parts } from './messages';
import { PasswordField } from './PasswordField';
import { ProblemAlert } from './ProblemAlert';

/** What the service asks of a password at least. */
const CHARS_MIN = 15;

interface NewPasswordProps {
  account: Schemas['Account'];
  onDone: (account: Schemas['Account']) => void;
  /** Beside the button. */
  children?: ReactNode;
}

/** Sets a password, or another one. All other sessions of the account end. */
export function NewPassword({ account, onDone, children }: NewPasswordProps) {
  const t = useText(parts);
  const [current, setCurrent] = useState('');
  const [fresh, setFresh] = useState('');
  const change = useChange({
    act: () =>
      ok(
        api.PUT('/api/v1/accounts/me/password', {
          body: { password: fresh, ...(account.has_password ? { current_password: current } : {}) },
        }),
      ),
    changes: ['me', 'accounts', 'audit', 'sessions'],
    done: () => t('passwordSet'),
    onDone(changed) {
      setCurrent('');
      setFresh('');
      onDone(changed);
    },
  });
  const faults = [faultOf(change.error, 'current_password'), faultOf(change.error, 'password')] as const;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!change.isPending) change.mutate();
      }}
    >
      <Stack>
        {/* Where a password manager looks for whose it is. */}
        <input type="text" name="username" autoComplete="username" value={account.login} readOnly hidden />
        {account.has_password && (
          <PasswordField
            label={t('currentPassword')}
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)}
            error={faults[0]}
            required
          />
        )}
        <PasswordField
          label={t('newPassword')}
          description={t('newPasswordHint', { count: CHARS_MIN })}
          autoComplete="new-password"
          minLength={CHARS_MIN}
          value={fresh}
          onChange={(event) => setFresh(event.currentTarget.value)}
          error={faults[1]}
          required
        />
        {!faults.some(Boolean) && <ProblemAlert error={change.error} />}
        <Text size="xs" c="dimmed">
          {t('passwordAbout')}
        </Text>
        <Group justify="flex-end">
          {children}
          <Button type="submit" loading={change.isPending}>
            {t(account.has_password ? 'changePassword' : 'setPassword')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
