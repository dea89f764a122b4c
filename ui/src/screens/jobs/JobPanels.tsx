import { Group, Text } from '@mantine/core';
import { FactTable, type Fact } from '../../parts/FactTable';
import { Instant } from '../../parts/Instant';
import type { Job } from '../../parts/jobs/job';
import { JobLink } from '../../parts/jobs/JobParts';
import { jobParts } from '../../parts/jobs/messages';
import { Panel } from '../../parts/Panel';
import { SegmentLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { jobs } from './messages';

export function Details({ job }: { job: Job }) {
  const t = useText(jobs);
  const words = useText(jobParts);
  const options = (['atomic', 'dry_run', 'create_segments'] as const).filter((one) => job.import?.[one]);
  const modes = ['add', 'remove', 'replace'] as const;
  const mode = modes.find((one) => one === job.import?.mode);
  const when = (at: string | null) => (at === null ? t('notYet') : <Instant at={at} inline />);
  const rows: Fact[] = [
    [t('kind'), words(`kind_${job.kind}`)],
    [t('actor'), job.actor],
    [t('created'), <Instant key="created" at={job.created_at} inline />],
    [t('started'), when(job.started_at)],
    [t('finished'), when(job.finished_at)],
  ];
  if (job.cancelled_by !== null) rows.push([t('cancelledBy'), job.cancelled_by]);
  if (job.undoes !== null)
    rows.push([t('undoes'), <JobLink key="undoes" id={job.undoes} label={t('job', { id: job.undoes })} />]);
  if (job.import?.segment) rows.push([t('segment'), <SegmentLink key="segment" slug={job.import.segment} />]);
  if (job.import) rows.push([t('mode'), mode ? t(`mode_${mode}`) : job.import.mode]);
  if (options.length > 0) rows.push([t('options'), options.map((one) => t(`option_${one}`)).join(', ')]);
  return (
    <Panel title={t('details')}>
      <FactTable label={t('details')} facts={rows} />
    </Panel>
  );
}

/** The segments that a clearance found. */
export function Stale({ slugs }: { slugs: string[] }) {
  const t = useText(jobs);
  return (
    <Panel title={t('stale')}>
      {slugs.length === 0 && <Text c="dimmed">{t('noneFound')}</Text>}
      <Group gap="sm">
        {slugs.map((slug) => (
          <SegmentLink key={slug} slug={slug} />
        ))}
      </Group>
    </Panel>
  );
}
