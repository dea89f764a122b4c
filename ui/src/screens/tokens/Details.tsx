import { Group, Modal, Stack, Text } from '@mantine/core';
import { Confirm } from '../../parts/Confirm';
import { api, ok } from '../../api/client';
import { useChange } from '../../parts/changes';
import { FactTable, type Fact } from '../../parts/FactTable';
import { Instant } from '../../parts/Instant';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { tokens } from './messages';
import type { Token } from './rights';
import { Ends, Prefix, TokenActs, TokenBadge, Used, useScopes } from './TokenParts';

interface DetailsProps {
  token: Token;
  now: number;
  onReplace: () => void;
  onRevoke: () => void;
  onClose: () => void;
}

function useFacts(token: Token, now: number): Fact[] {
  const t = useText(tokens);
  const scopes = useScopes();
  return [
    [t('name'), token.name],
    [t('state'), <TokenBadge key="state" token={token} now={now} />],
    [t('scopes'), scopes(token)],
    [t('prefixShort'), <Prefix key="prefix" token={token} />],
    [t('expires'), <Ends key="ends" token={token} />],
    [t('used'), <Used key="used" token={token} />],
    [t('createdBy'), token.created_by],
    [t('created'), <Instant key="created" at={token.created_at} inline />],
    ...(token.revoked_at
      ? [[t('revokedAt'), <Instant key="revoked" at={token.revoked_at} inline />] as Fact]
      : []),
  ];
}

/** All that is known of a token, also on screens too narrow for the table. */
export function Details({ token, now, onReplace, onRevoke, onClose }: DetailsProps) {
  const t = useText(tokens);
  const facts = useFacts(token, now);
  const title = t('facts', { name: token.name });
  return (
    <Modal opened onClose={onClose} title={title} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <FactTable label={title} facts={facts} />
        <Text size="xs" c="dimmed">
          {t('usedHint')}
        </Text>
        <Group justify="flex-end">
          <TokenActs token={token} now={now} onReplace={onReplace} onRevoke={onRevoke} />
        </Group>
      </Stack>
    </Modal>
  );
}

export function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const t = useText(tokens);
  const formats = useFormats();
  const { id, name, used_at: used } = token;
  const change = useChange({
    act: () => ok(api.DELETE('/api/v1/tokens/{id}', { params: { path: { id: String(id) } } })),
    changes: ['tokens', 'audit'],
    done: () => t('revoked', { name }),
    onDone: onClose,
  });
  return (
    <Confirm
      title={t('revokeTitle', { name })}
      act={t('revoke')}
      word={name}
      isDangerous
      isBusy={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate()}
      onClose={onClose}
    >
      <Text size="sm">{t('revokeAbout')}</Text>
      <Text size="sm" fw={600}>
        {used ? t('revokeUsed', { when: formats.distance(used) }) : t('revokeUnused')}
      </Text>
    </Confirm>
  );
}
