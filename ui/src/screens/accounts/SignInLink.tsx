import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useChange } from '../../parts/changes';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { SecretField } from '../../parts/SecretField';
import { useText } from '../../text';
import type { Account } from './roles';
import { accounts } from './messages';

interface Link {
  /** Absent when it was told before. */
  href: string | null;
  hours: number;
}

/** The link is kept by the dialog alone, and is gone with it. */
export function useSignInLink() {
  const [link, setLink] = useState<Link | null>(null);
  const change = useChange({
    async act(id: number) {
      const made = await ok(api.POST('/api/v1/accounts/{id}/link', { params: { path: { id: String(id) } } }));
      setLink({ href: made.link ?? null, hours: made.hours });
    },
    changes: ['audit'],
  });
  return { link, make: change.mutate, isBusy: change.isPending, error: change.error };
}

export function ShownLink({ link, login }: { link: Link; login: string }) {
  const t = useText(accounts);
  if (link.href === null) {
    return (
      <Alert color="orange" variant="outline" role="alert">
        {t('linkUntold')}
      </Alert>
    );
  }
  return (
    <Stack gap="xs">
      <SecretField label={t('link')} value={link.href} />
      <Text size="sm" fw={600}>
        {t('linkOnce', { count: link.hours })}
      </Text>
      <Text size="sm" c="dimmed">
        {t('linkSend', { login })}
      </Text>
    </Stack>
  );
}

/** Makes a link for an account that is there. */
export function LinkDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const t = useText(accounts);
  const { link, make, isBusy, error } = useSignInLink();
  const isShown = link !== null;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('makeLink')}
      size="lg"
      closeOnClickOutside={!isShown}
      closeOnEscape={!isShown}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack>
        {isShown ? (
          <ShownLink link={link} login={account.login} />
        ) : (
          <Text size="sm">{t('makeLinkAbout', { login: account.login })}</Text>
        )}
        <ProblemAlert error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {isShown ? t('close') : t('cancel')}
          </Button>
          {!isShown && (
            <Button loading={isBusy} onClick={() => make(account.id)}>
              {t('makeLinkAct')}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
