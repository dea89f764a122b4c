import { Anchor, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { AsOf, Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { SegmentLink, UserLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Lines } from './Lines';
import { home } from './messages';
import { Numbers } from './Numbers';
import { soonestEnds, type Summary } from './queries';

export function Ending({ summary }: { summary: Summary }) {
  const t = useText(home);
  const soonest = useQuery(soonestEnds);
  return (
    <Panel title={t('ending')} actions={<AsOf at={summary.as_of} />}>
      <Numbers
        items={[
          { name: t('withinDay'), value: summary.ending.within_day },
          { name: t('withinWeek'), value: summary.ending.within_week },
        ]}
      />
      <Title order={3}>{t('soonest')}</Title>
      <Loaded query={soonest} height={400}>
        {({ items }) => <Soonest rows={items} />}
      </Loaded>
      <Anchor component={Link} to="/statistics" hash="ending" size="sm">
        {t('byDay')}
      </Anchor>
    </Panel>
  );
}

function Soonest({ rows }: { rows: Schemas['EndingMembership'][] }) {
  const t = useText(home);
  const formats = useFormats();
  const lines = rows.map((row) => ({
    key: `${row.user_id} ${row.segment}`,
    what: (
      <>
        <UserLink id={row.user_id} />
        <SegmentLink slug={row.segment} />
        <Text span size="sm">
          {formats.distance(row.expires_at)}
        </Text>
      </>
    ),
    beneath: <Instant at={row.expires_at} inline />,
  }));
  return <Lines label={t('soonest')} items={lines} empty={t('noEnding')} />;
}
