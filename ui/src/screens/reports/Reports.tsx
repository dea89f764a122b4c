import { Button, Code, Stack, Text } from '@mantine/core';
import { api, ok } from '../../api/client';
import { useMay } from '../../api/me';
import { DataTable, useFollowed, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Instant } from '../../parts/Instant';
import { Page } from '../../parts/Page';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { useAddress } from '../../parts/address';
import { isHeld, isLive, type Job } from '../../parts/jobs/job';
import { JobLink, StateBadge } from '../../parts/jobs/JobParts';
import { reports } from './messages';
import { NewReport } from './NewReport';
import { fileOf, type Search } from './report';

export default function Reports() {
  const t = useText(reports);
  const may = useMay();
  const [search, change] = useAddress<Search>();
  const create = () => change({ new: 'history' });
  const isAllowed = may('data.export');
  const list = useReports(isAllowed);
  const columns = useColumns();
  const action = <Button onClick={create}>{t('make')}</Button>;
  return (
    <Page title={t('title')} about={t('about')} needs="data.export" actions={action}>
      <DataTable
        label={t('title')}
        list={list}
        columns={columns}
        id={(job) => String(job.id)}
        rowHeight={56}
        empty={
          <Empty title={t('emptyTitle')} about={t('emptyAbout')}>
            <Button variant="default" onClick={create}>
              {t('make')}
            </Button>
          </Empty>
        }
      />
      {search.new !== undefined && isAllowed && (
        <NewReport search={search} onClose={() => change({ new: undefined, segment: undefined })} />
      )}
    </Page>
  );
}

function useReports(isAllowed: boolean) {
  const list = useList(
    ['jobs', 'reports'],
    (cursor) =>
      ok(
        api.GET('/api/v1/jobs', { params: { query: { kind: 'report', limit: 50, cursor, count: 'exact' } } }),
      ),
    isAllowed,
  );
  const isGoing = list.data?.pages.some((page) => page.items.some(isLive)) ?? false;
  useFollowed(list, isGoing);
  return list;
}

function useColumns(): Column<Job>[] {
  const t = useText(reports);
  const formats = useFormats();
  return [
    { key: 'file', title: t('file'), width: 'minmax(110px, 2fr)', cell: (job) => <File job={job} /> },
    {
      key: 'state',
      title: t('state'),
      width: '130px',
      isWide: true,
      cell: (job) => <StateBadge state={job.state} />,
    },
    {
      key: 'format',
      title: t('format'),
      width: '90px',
      isWide: true,
      cell: ({ report }) => (report ? fileOf(report.link).format : ''),
    },
    {
      key: 'rows',
      title: t('rows'),
      width: 'minmax(60px, 90px)',
      isRight: true,
      cell: ({ report }) => (report ? formats.number(report.rows) : ''),
    },
    {
      key: 'sha256',
      title: t('sha256'),
      width: '120px',
      isWide: true,
      cell: ({ report }) =>
        report ? <Code title={report.sha256}>{`${report.sha256.slice(0, 10)}…`}</Code> : '',
    },
    {
      key: 'created',
      title: t('created'),
      width: 'minmax(120px, 170px)',
      isWide: true,
      cell: (job) => <Instant at={job.created_at} />,
    },
    { key: 'link', title: t('link'), width: 'minmax(120px, 170px)', cell: (job) => <FileLink job={job} /> },
  ];
}

function File({ job }: { job: Job }) {
  const t = useText(reports);
  const label = t('job', { id: job.id });
  return (
    <Stack gap={0}>
      {job.report && (
        <Text size="sm" truncate title={fileOf(job.report.link).name}>
          {fileOf(job.report.link).name}
        </Text>
      )}
      <JobLink id={job.id} label={label} />
    </Stack>
  );
}

function FileLink({ job }: { job: Job }) {
  const t = useText(reports);
  const formats = useFormats();
  const { report } = job;
  const note = (text: string) => (
    <Text size="xs" c="dimmed">
      {text}
    </Text>
  );
  if (!report) return isLive(job) ? <StateBadge state={job.state} /> : note(t('noFile'));
  if (!isHeld(report.expires_at)) return note(t('over'));
  return (
    <Stack gap={2} align="flex-start" title={formats.instant(report.expires_at)}>
      <Button
        component="a"
        href={report.link}
        download
        size="compact-xs"
        variant="default"
        aria-label={t('downloadFile', { file: fileOf(report.link).name })}
      >
        {t('download')}
      </Button>
      {note(t('ends', { when: formats.distance(report.expires_at) }))}
    </Stack>
  );
}
