import { Alert, Button, Group, Stack, Table, Text } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Figures } from '../Figures';
import { download } from '../files';
import { Instant } from '../Instant';
import { Panel } from '../Panel';
import { Told } from '../Told';
import { isHeld, type Job } from './job';
import { jobParts } from './messages';

export function Problem({ job }: { job: Job }) {
  const t = useText(jobParts);
  if (job.problem === null) return null;
  const isFailed = job.state === 'failed';
  return (
    <Alert
      color={isFailed ? 'red' : 'orange'}
      variant="outline"
      title={isFailed ? t('problemFailed') : t('problemOther')}
    >
      <Text size="sm" className="breaks">
        <Told text={job.problem} />
      </Text>
    </Alert>
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
  const t = useText(jobParts);
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
  const t = useText(jobParts);
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
      <RefusalTable refusals={refusals} />
    </Panel>
  );
}

/** Which rows of a file were refused, and why. */
function RefusalTable({ refusals }: { refusals: NonNullable<Job['refusals']> }) {
  const t = useText(jobParts);
  const formats = useFormats();
  return (
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
              <Table.Td className="breaks">
                <Told text={refusal.reason} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

export function ReportFile({ report }: { report: Schemas['Report'] }) {
  const t = useText(jobParts);
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
