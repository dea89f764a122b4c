import { Anchor, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { AsOf, Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import type { Job } from '../../parts/jobs/job';
import { JobLink, StateBadge } from '../../parts/jobs/JobParts';
import { jobParts } from '../../parts/jobs/messages';
import { Lines } from './Lines';
import { home } from './messages';
import { Numbers } from './Numbers';
import { newestJobs, type Summary } from './queries';

export function JobsPanel({ summary }: { summary: Summary }) {
  const t = useText(home);
  const { queued, running, failed } = summary.jobs;
  const newest = useQuery(newestJobs);
  return (
    <Panel title={t('jobs')} actions={<AsOf at={summary.as_of} />}>
      <Numbers
        items={[
          { name: t('queued'), value: queued, to: '/jobs', search: { state: 'queued' } },
          { name: t('running'), value: running, to: '/jobs', search: { state: 'running' } },
          { name: t('failed'), value: failed, to: '/jobs', search: { state: 'failed' } },
        ]}
      />
      <Title order={3}>{t('newestJobs')}</Title>
      <Loaded query={newest} height={240}>
        {({ items }) => <Newest rows={items} />}
      </Loaded>
      <Anchor component={Link} to="/jobs" size="sm">
        {t('allJobs')}
      </Anchor>
    </Panel>
  );
}

function Newest({ rows }: { rows: Job[] }) {
  const t = useText(home);
  const words = useText(jobParts);
  const lines = rows.map((job) => ({
    key: job.id,
    what: (
      <>
        <JobLink id={job.id} label={words(`kind_${job.kind}`)} />
        <StateBadge state={job.state} />
      </>
    ),
    beneath: (
      <>
        <Instant at={job.created_at} inline /> · {job.actor}
      </>
    ),
  }));
  return <Lines label={t('newestJobs')} items={lines} empty={t('noJobs')} />;
}
