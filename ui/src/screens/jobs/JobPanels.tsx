import { Alert, Button, Group, Stack, Table, Text } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { download } from '../../parts/files';
import { Instant } from '../../parts/Instant';
import { Panel } from '../../parts/Panel';
import { SegmentLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Figures } from './Figures';
import { isHeld, type Job } from './job';
import { JobLink } from './JobParts';
import { jobs } from './messages';

export function Problem({ job }: { job: Job }) {
  const t = useText(jobs);
  if (job.problem === null) return null;
  const isFailed = job.state === 'failed';
  return (
    <Alert
      color={isFailed ? 'red' : 'orange'}
      variant="outline"
      title={isFailed ? t('problemFailed') : t('problemOther')}
    >
      <Text size="sm" className="breaks">
        {job.problem}
      </Text>
    </Alert>
  );
}

export function Details({ job }: { job: Job }) {
  const t = useText(jobs);
  const options = (['atomic', 'dry_run', 'create_segments'] as const).filter((one) => job.import?.[one]);
  const modes = ['add', 'remove', 'replace'] as const;
  const mode = modes.find((one) => one === job.import?.mode);
  const when = (at: string | null) => (at === null ? t('notYet') : <Instant at={at} inline />);
  const rows: [string, ReactNode][] = [
    [t('kind'), t(`kind_${job.kind}`)],
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
      <Table withRowBorders={false} verticalSpacing={4} aria-label={t('details')}>
        <Table.Tbody>
          {rows.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" w={140} fw={400} c="dimmed">
                {name}
              </Table.Th>
              <Table.Td className="breaks">{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}

const COUNTS = [
  'added',
  'extended',
  'removed',
  'created',
  'updated',
  'unchanged',
  'duplicates',
  'users_created',
  'segments_created',
  'forgotten',
  'kept',
  'found',
  'days',
] as const;

export function Counts({ job }: { job: Job }) {
  const t = useText(jobs);
  const formats = useFormats();
  const counts = job.counts ?? {};
  const items = COUNTS.flatMap((key) => {
    const value = counts[key];
    return value === undefined ? [] : [{ name: t(`count_${key}`), value: formats.number(value) }];
  });
  if (items.length === 0) return null;
  return (
    <Panel title={job.import?.dry_run ? t('countsDry') : t('counts')}>
      <Figures items={items} />
    </Panel>
  );
}

export function Refusals({ job }: { job: Job }) {
  const t = useText(jobs);
  const formats = useFormats();
  const may = useMay();
  const { refusals = [], errors_url: errors } = job;
  if (job.refused === 0) return null;
  const action = errors !== null && may('segments.manage') && (
    <Button variant="default" size="compact-sm" onClick={() => download(errors)}>
      {t('downloadErrors')}
    </Button>
  );
  return (
    <Panel title={t('refusals')} actions={action}>
      <Text size="sm" c="dimmed">
        {t('refusalsShown', { shown: formats.number(refusals.length), total: formats.number(job.refused) })}
      </Text>
      <Table.ScrollContainer minWidth={280} mah={420}>
        <Table striped aria-label={t('refusals')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th ta="right">{t('line')}</Table.Th>
              <Table.Th>{t('column')}</Table.Th>
              <Table.Th>{t('reason')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {refusals.map((refusal, place) => (
              <Table.Tr key={place}>
                <Table.Td ta="right" className="number">
                  {formats.number(refusal.line)}
                </Table.Td>
                <Table.Td>{refusal.column || t('wholeRow')}</Table.Td>
                <Table.Td className="breaks">{refusal.reason}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}

/** A report's file, while its link holds. */
export function ReportFile({ report }: { report: Schemas['Report'] }) {
  const t = useText(jobs);
  const formats = useFormats();
  const clipboard = useClipboard();
  const holds = isHeld(report.expires_at);
  return (
    <Stack gap="sm">
      <Figures items={[{ name: t('reportRows'), value: formats.number(report.rows) }]} />
      <Text size="sm">
        {holds ? t('linkHolds') : t('linkOver')} <Instant at={report.expires_at} inline />
      </Text>
      <Text size="xs" c="dimmed" className="breaks">
        {`${t('sha256')}: ${report.sha256}`}
      </Text>
      {holds && (
        <>
          <Group gap="xs">
            <Button component="a" href={report.link} download>
              {t('download')}
            </Button>
            <Button variant="default" onClick={() => clipboard.copy(report.link)}>
              {clipboard.copied ? t('copied') : t('copyLink')}
            </Button>
          </Group>
          <Text size="xs" c="dimmed">
            {t('linkAbout')}
          </Text>
        </>
      )}
    </Stack>
  );
}

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
