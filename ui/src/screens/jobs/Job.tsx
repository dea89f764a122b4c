import { SimpleGrid, Stack, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Page } from '../../parts/Page';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Figures } from '../../parts/Figures';
import { isLive, type Job as JobView } from '../../parts/jobs/job';
import { JobActs } from './JobActs';
import { Counts, Problem, Refusals, ReportFile } from '../../parts/jobs/JobPanels';
import { Details, Stale } from './JobPanels';
import { ProgressBar, StateBadge } from '../../parts/jobs/JobParts';
import { jobParts } from '../../parts/jobs/messages';
import { jobs } from './messages';
import { useJob } from '../../parts/jobs/useJob';

export default function Job() {
  const { jobId = '' } = useParams({ strict: false });
  return <One key={jobId} id={jobId} />;
}

function One({ id }: { id: string }) {
  const t = useText(jobs);
  const words = useText(jobParts);
  const { query, isStreamLost } = useJob(id);
  const job = query.data;
  return (
    <Page
      title={t('job', { id })}
      about={job && words(`kind_${job.kind}`)}
      beside={job && <StateBadge state={job.state} />}
      actions={job && <JobActs job={job} />}
    >
      <Loaded query={query} height={300}>
        {(value) => (
          <Stack>
            <Problem job={value} />
            <Course job={value} isStreamLost={isStreamLost} at={query.dataUpdatedAt} />
            {value.report && (
              <Panel title={t('report')}>
                <ReportFile report={value.report} />
              </Panel>
            )}
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <Counts job={value} />
              <Details job={value} />
            </SimpleGrid>
            <Refusals job={value} />
            {value.segments && <Stale slugs={value.segments} />}
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Course({ job, isStreamLost, at }: { job: JobView; isStreamLost: boolean; at: number }) {
  const t = useText(jobs);
  const formats = useFormats();
  const { rate, eta_seconds: eta } = job.progress;
  const isGoing = isLive(job);
  const items = [
    {
      name: t('rate'),
      value: rate === null ? t('unknown') : t('perSecond', { rate: formats.number(Math.round(rate)) }),
    },
    {
      name: t('ready'),
      value: eta === null ? t('unknown') : formats.distance(new Date(eta * 1000).toISOString(), 0),
    },
  ];
  return (
    <Panel title={t('course')} actions={<AsOf at={at} />}>
      <ProgressBar job={job} size="lg" />
      {isGoing && <Figures items={items} />}
      {!isGoing && rate !== null && <Figures items={items.slice(0, 1)} />}
      {isGoing && job.cancelled_by !== null && (
        <Text size="sm">{t('endAskedBy', { actor: job.cancelled_by })}</Text>
      )}
      {isGoing && (
        <Text size="xs" c="dimmed" role="status">
          {isStreamLost ? t('polling') : t('following')}
        </Text>
      )}
    </Panel>
  );
}
