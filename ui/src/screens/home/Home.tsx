import { SimpleGrid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Page } from '../../parts/Page';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { EmptyStore } from './EmptyStore';
import { Ending } from './Ending';
import { Health } from './Health';
import { JobsPanel } from './JobsPanel';
import { home } from './messages';
import { Numbers } from './Numbers';
import { summaryQuery, type Summary } from './queries';
import { isEmptyStore, midnight } from './day';
import { Today } from './Today';

export default function Home() {
  const t = useText(home);
  return (
    <Page title={t('title')} about={t('about')} needs="segments.read">
      <Overview />
    </Page>
  );
}

function Overview() {
  const query = useQuery(summaryQuery(midnight(new Date())));
  return (
    <Loaded query={query} height={600}>
      {(summary) => (isEmptyStore(summary) ? <AtFirst summary={summary} /> : <Usual summary={summary} />)}
    </Loaded>
  );
}

function AtFirst({ summary }: { summary: Summary }) {
  return (
    <Stack>
      <EmptyStore />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <JobsPanel summary={summary} />
        <Health service={summary.service} />
      </SimpleGrid>
    </Stack>
  );
}

function Usual({ summary }: { summary: Summary }) {
  return (
    <Stack>
      <Totals summary={summary} />
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Today summary={summary} />
        <Ending summary={summary} />
        <JobsPanel summary={summary} />
        <Health service={summary.service} />
      </SimpleGrid>
    </Stack>
  );
}

function Totals({ summary }: { summary: Summary }) {
  const t = useText(home);
  return (
    <Panel title={t('totals')} actions={<AsOf at={summary.as_of} />}>
      <Numbers
        items={[
          { name: t('users'), value: summary.users, to: '/users' },
          { name: t('segments'), value: summary.segments, to: '/segments' },
          { name: t('memberships'), value: summary.memberships },
          { name: t('withDeadline'), value: summary.memberships_with_deadline },
        ]}
      />
    </Panel>
  );
}
