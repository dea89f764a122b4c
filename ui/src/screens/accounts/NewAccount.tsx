import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { faultOf } from '../../api/problem';
import { useChange } from '../../parts/changes';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { AccessFields } from './AccessFields';
import { isLogin, newAccount, type AccessDraft, type Account } from './roles';
import { accounts } from './messages';
import { ShownLink, useSignInLink } from './SignInLink';

/** Makes an account, and at once the link by which its owner gets in. */
export function NewAccount({ onClose }: { onClose: () => void }) {
  const t = useText(accounts);
  const [made, setMade] = useState<Account | null>(null);
  const link = useSignInLink();
  return (
    <Modal
      opened
      onClose={onClose}
      title={made ? t('madeTitle') : t('new')}
      size="lg"
      closeOnClickOutside={!made}
      closeOnEscape={!made}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      {made ? (
        <Made account={made} link={link} onClose={onClose} />
      ) : (
        <Form
          onClose={onClose}
          onMade={(account) => {
            setMade(account);
            link.make(account.id);
          }}
        />
      )}
    </Modal>
  );
}

interface FormProps {
  onMade: (account: Account) => void;
  onClose: () => void;
}

function Form({ onMade, onClose }: FormProps) {
  const t = useText(accounts);
  const [login, setLogin] = useState('');
  const [access, setAccess] = useState<AccessDraft>({ role: 'viewer', sees_persons: false });
  const create = useChange({
    act: () => ok(api.POST('/api/v1/accounts', { body: newAccount(login.trim(), access) })),
    changes: ['accounts', 'audit'],
    onDone: onMade,
  });
  const isReady = isLogin(login.trim());
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !create.isPending) create.mutate();
      }}
    >
      <Stack>
        <Text size="sm">{t('createAbout')}</Text>
        <TextInput
          label={t('login')}
          description={t('loginHint')}
          value={login}
          maxLength={254}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          onChange={(event) => setLogin(event.currentTarget.value)}
          error={faultOf(create.error, 'login')}
        />
        <AccessFields draft={access} error={create.error} onChange={setAccess} />
        <ProblemAlert error={create.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button type="submit" disabled={!isReady} loading={create.isPending}>
            {t('create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface MadeProps {
  account: Account;
  link: ReturnType<typeof useSignInLink>;
  onClose: () => void;
}

function Made({ account, link, onClose }: MadeProps) {
  const t = useText(accounts);
  return (
    <Stack>
      <Text size="sm" role="status">
        {t('made', { login: account.login })}
      </Text>
      {link.link && <ShownLink link={link.link} login={account.login} />}
      {link.error !== null && (
        <>
          <Text size="sm">{t('linkRetry')}</Text>
          <ProblemAlert error={link.error} onRetry={() => link.make(account.id)} />
        </>
      )}
      <Group justify="flex-end">
        <Button
          component={Link}
          to="/accounts/$accountId"
          params={{ accountId: String(account.id) } as never}
          variant="default"
        >
          {t('openAccount')}
        </Button>
        <Button onClick={onClose} loading={link.isBusy}>
          {t('close')}
        </Button>
      </Group>
    </Stack>
  );
}
