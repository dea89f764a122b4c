import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { AsOf, Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { SegmentLink, UserLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { doneBy } from './day';
import { Lines } from './Lines';
import { home } from './messages';
import { Numbers } from './Numbers';
import { newestChanges, type Summary } from './queries';

export function Today({ summary }: { summary: Summary }) {
  const t = useText(home);
  const formats = useFormats();
  const { since } = summary;
  const newest = useQuery(newestChanges);
  return (
    <Panel title={t('today')} actions={<AsOf at={summary.as_of} />}>
      <Text size="xs" c="dimmed">
        {t('todayAbout', { since: formats.instant(since.at) })}
      </Text>
      <Numbers
        items={[
          { name: t('added'), value: since.added },
          { name: t('removed'), value: since.removed },
          { name: t('extended'), value: since.extended },
          { name: t('segmentsChanged'), value: since.segments_changed },
        ]}
      />
      <Title order={3}>{t('newest')}</Title>
      <Loaded query={newest} height={400}>
        {({ items }) => <Changes rows={items} />}
      </Loaded>
    </Panel>
  );
}

const SIGNS: Record<Schemas['Operation'], string> = { add: '+', remove: '−', extend: '↻' };

function Changes({ rows }: { rows: Schemas['HistoryRow'][] }) {
  const t = useText(home);
  const lines = rows.map((row) => ({
    key: row.id,
    what: (
      <>
        <UserLink id={row.user_id} />
        <Text span size="sm">
          <span aria-hidden>{SIGNS[row.operation]}</span> {t(`operation_${row.operation}`)}
        </Text>
        <SegmentLink slug={row.segment} />
      </>
    ),
    beneath: (
      <>
        <Instant at={row.timestamp} inline /> · {doneBy(row)}
      </>
    ),
  }));
  return <Lines label={t('newest')} items={lines} empty={t('noChanges')} />;
}
