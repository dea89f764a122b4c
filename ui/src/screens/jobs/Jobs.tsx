import { Button, Group, Select, Text } from '@mantine/core';
import { api, ok } from '../../api/client';
import { DataTable, useFollowed, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Instant } from '../../parts/Instant';
import { Page } from '../../parts/Page';
import type * as searches from '../../searches';
import { useText } from '../../text';
import { useAddress } from '../../parts/address';
import { isLive, KINDS, STATES, type Job } from '../../parts/jobs/job';
import { JobLink, ProgressBar, StateBadge } from '../../parts/jobs/JobParts';
import { jobParts } from '../../parts/jobs/messages';
import { jobs } from './messages';

type Search = ReturnType<typeof searches.jobs>;

function useJobs(search: Search) {
  const kind = KINDS.find((one) => one === search.kind);
  const state = STATES.find((one) => one === search.state);
  const list = useList(['jobs', 'list', kind, state], (cursor) =>
    ok(api.GET('/api/v1/jobs', { params: { query: { limit: 50, kind, state, cursor, count: 'exact' } } })),
  );
  const isGoing = list.data?.pages.some((page) => page.items.some(isLive)) ?? false;
  useFollowed(list, isGoing);
  return { list, kind, state, isGoing };
}

function useColumns(): Column<Job>[] {
  const t = useText(jobs);
  const words = useText(jobParts);
  return [
    {
      key: 'kind',
      title: t('kind'),
      width: 'minmax(130px, 2fr)',
      cell: (job) => <JobLink id={job.id} label={words(`kind_${job.kind}`)} />,
    },
    { key: 'state', title: t('state'), width: '130px', cell: (job) => <StateBadge state={job.state} /> },
    {
      key: 'progress',
      title: t('progress'),
      width: 'minmax(160px, 2fr)',
      isWide: true,
      cell: (job) => <ProgressBar job={job} />,
    },
    { key: 'actor', title: t('actor'), width: 'minmax(90px, 1.2fr)', isWide: true, cell: (job) => job.actor },
    {
      key: 'created',
      title: t('created'),
      width: '172px',
      isWide: true,
      cell: (job) => <Instant at={job.created_at} />,
    },
    { key: 'id', title: t('number'), width: '70px', isWide: true, isRight: true, cell: (job) => job.id },
  ];
}

export default function Jobs() {
  const t = useText(jobs);
  const words = useText(jobParts);
  const [search, change] = useAddress<Search>();
  const { list, kind, state, isGoing } = useJobs(search);
  const columns = useColumns();
  const isFiltered = kind !== undefined || state !== undefined;
  return (
    <Page title={t('title')} about={t('about')} needs="segments.read">
      <Group align="flex-end">
        <Select
          label={t('kind')}
          placeholder={t('anyKind')}
          clearable
          w={240}
          data={KINDS.map((value) => ({ value, label: words(`kind_${value}`) }))}
          value={kind ?? null}
          onChange={(next) => change({ kind: next ?? undefined })}
        />
        <Select
          label={t('state')}
          placeholder={t('anyState')}
          clearable
          w={180}
          data={STATES.map((value) => ({ value, label: words(`state_${value}`) }))}
          value={state ?? null}
          onChange={(next) => change({ state: next ?? undefined })}
        />
        {isGoing && (
          <Text size="xs" c="dimmed" pb={8}>
            {t('live')}
          </Text>
        )}
      </Group>
      <DataTable
        label={t('title')}
        list={list}
        columns={columns}
        id={(job) => String(job.id)}
        rowHeight={52}
        empty={
          <Empty title={t('emptyTitle')} about={isFiltered ? t('emptyFiltered') : t('emptyAbout')}>
            {isFiltered && (
              <Button variant="default" onClick={() => change({ kind: undefined, state: undefined })}>
                {t('clearFilters')}
              </Button>
            )}
          </Empty>
        }
      />
    </Page>
  );
}
