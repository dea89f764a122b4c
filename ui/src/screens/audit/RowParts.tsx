import { Button, Code, Modal, Stack, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { FactTable, type Fact } from '../../parts/FactTable';
import { Instant } from '../../parts/Instant';
import { SegmentLink, UserLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { JobLink } from '../../parts/jobs/JobParts';
import { audit } from './messages';
import { ACTIONS, keyOf, readable, type Row as AuditRow } from './rows';

/** The beginning of it; a click copies all of it. */
export function Hash({ hash }: { hash: string }) {
  const t = useText(audit);
  const clipboard = useClipboard();
  return (
    <Tooltip label={clipboard.copied ? t('copied') : t('copyHash')}>
      <UnstyledButton
        aria-label={`${t('copyHash')} ${hash.slice(0, 10)}…`}
        onClick={() => clipboard.copy(hash)}
      >
        <Code>{`${hash.slice(0, 10)}…`}</Code>
      </UnstyledButton>
    </Tooltip>
  );
}

export function ActionName({ action }: { action: string }) {
  const t = useText(audit);
  const known = ACTIONS.find((one) => one === action);
  if (known === undefined) return <Text size="sm">{action}</Text>;
  return (
    <Stack gap={0}>
      <Text size="sm" truncate>
        {t(`action_${keyOf(known)}`)}
      </Text>
      <Text size="xs" c="dimmed" truncate>
        {action}
      </Text>
    </Stack>
  );
}

export function Subject({ subject }: { subject: string }) {
  const [, kind, name = ''] = /^(segment|user|job)\/(.+)$/.exec(subject) ?? [];
  if (kind === 'segment') return <SegmentLink slug={name} />;
  if (kind === 'user') return <UserLink id={name} />;
  if (kind === 'job' && /^\d+$/.test(name)) return <JobLink id={Number(name)} label={subject} />;
  return (
    <Text size="sm" className="breaks">
      {subject}
    </Text>
  );
}

export function useReadable(): (row: AuditRow) => [string, string][] {
  const t = useText(audit);
  return (row) => readable(row.detail, { yes: t('yes'), no: t('no'), none: t('none') });
}

/** All of one row. */
export function Row({ row, onClose }: { row: AuditRow; onClose: () => void }) {
  const t = useText(audit);
  const clipboard = useClipboard();
  const detail = useReadable()(row);
  const rows: Fact[] = [
    [t('at'), <Instant key="at" at={row.at} inline />],
    [t('actor'), row.actor],
    [t('action'), <ActionName key="action" action={row.action} />],
    [t('subject'), <Subject key="subject" subject={row.subject} />],
    ...detail,
    [t('hash'), row.hash],
  ];
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('row', { id: row.id })}
      size="lg"
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <FactTable label={t('row', { id: row.id })} facts={rows} />
      <Button mt="md" variant="default" onClick={() => clipboard.copy(row.hash)}>
        {clipboard.copied ? t('copied') : t('copyHash')}
      </Button>
    </Modal>
  );
}
