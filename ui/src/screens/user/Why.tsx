import { Modal, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import { AsOf, Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { parts } from '../../parts/messages';
import { SegmentLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { user } from './messages';
import { ShareBar } from './ShareBar';
import { useBoth, useSource, verdictOf } from './words';

interface WhyProps {
  id: string;
  slug: string;
  onClose: () => void;
}

/** Why somebody is in a segment, or is not. */
export default function Why({ id, slug, onClose }: WhyProps) {
  const t = useText(user);
  const of = useText(parts);
  const query = useQuery({
    queryKey: ['memberships', 'why', id, slug],
    queryFn: () =>
      ok(
        api.GET('/api/v1/users/{user_id}/segments/{slug}/why', {
          params: { path: { user_id: id, slug } },
        }),
      ),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t('whyTitle', { id, segment: slug })}
      closeButtonProps={{ 'aria-label': of('close') }}
    >
      <Loaded query={query} height={200}>
        {(why) => (
          <Stack>
            <Sentence why={why} at={query.dataUpdatedAt} />
            {why.percent !== null && why.position !== null && (
              <ShareBar percent={why.percent} position={why.position} isMember={why.is_member} />
            )}
            <PairHistory rows={why.history} />
            <AsOf at={query.dataUpdatedAt} />
          </Stack>
        )}
      </Loaded>
    </Modal>
  );
}

/** `at` is when it was true. */
function Sentence({ why, at }: { why: Schemas['Why']; at: number }) {
  const t = useText(user);
  const source = useSource();
  const both = useBoth();
  const names = { id: why.user_id, segment: why.segment };
  const verdict = verdictOf(why, at);
  const reason = (text: string | null) => (text ? t('whyReason', { reason: text }) : t('whyNoReason'));
  const sentence = () => {
    switch (verdict.says) {
      case 'in': {
        const { by } = verdict;
        return t('whyIn', {
          ...names,
          since: both(by.since),
          actor: by.actor,
          source: source(by.source),
          reason: reason(by.reason),
          until: by.expires_at ? t('whyUntil', { at: both(by.expires_at) }) : t('whyNoDeadline'),
        });
      }
      case 'out':
        return t('whyOut', {
          ...names,
          at: both(verdict.by.timestamp),
          actor: verdict.by.actor,
          source: source(verdict.by.source),
          reason: reason(verdict.by.reason),
        });
      case 'expired':
        return t('whyExpired', { ...names, at: both(verdict.at) });
      case 'never':
        return t('whyNever', names);
      case 'not':
        return t('whyNot', names);
    }
  };
  return (
    <Text className="breaks">
      {sentence()} <SegmentLink slug={why.segment} />
    </Text>
  );
}

function PairHistory({ rows }: { rows: Schemas['HistoryRow'][] }) {
  const t = useText(user);
  const source = useSource();
  if (rows.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t('pairNothing')}
      </Text>
    );
  }
  return (
    <Stack gap="xs">
      <Title order={3}>{t('pairHistory')}</Title>
      <Table.ScrollContainer minWidth={560} mah={320}>
        <Table aria-label={t('pairHistory')} verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('timestamp')}</Table.Th>
              <Table.Th>{t('operation')}</Table.Th>
              <Table.Th>{t('deadline')}</Table.Th>
              <Table.Th>{t('source')}</Table.Th>
              <Table.Th>{t('actor')}</Table.Th>
              <Table.Th>{t('reason')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.id}>
                <Table.Td>
                  <Instant at={row.timestamp} />
                </Table.Td>
                <Table.Td>{t(`operation_${row.operation}`)}</Table.Td>
                <Table.Td>{row.expires_at && <Instant at={row.expires_at} />}</Table.Td>
                <Table.Td>{source(row.source)}</Table.Td>
                <Table.Td className="breaks">{row.actor}</Table.Td>
                <Table.Td className="breaks">{row.reason}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
