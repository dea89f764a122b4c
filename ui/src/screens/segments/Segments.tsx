import { Badge, Button, Group, MultiSelect, Select, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Instant } from '../../parts/Instant';
import { Page } from '../../parts/Page';
import { SegmentLink } from '../../parts/SegmentLink';
import { Sparkline } from '../../parts/Sparkline';
import { useAddress } from '../../parts/address';
import { parts } from '../../parts/messages';
import { KINDS, type segments as searched } from '../../searches';
import { SettledField } from '../../parts/SettledField';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { DeleteSegments } from './DeleteSegments';
import { segments } from './messages';
import { NewSegment } from './NewSegment';
import { RowMenu } from './RowMenu';
import { useMonths } from './months';

type Row = Schemas['SegmentStats'];

const CHOICES = ['kind', 'size', 'month', 'changed', 'percent', 'updated'] as const;
type Choice = (typeof CHOICES)[number];
const SHOWN_AT_FIRST: Choice[] = ['kind', 'size', 'month', 'changed'];

const PAGE = 200;

function useColumns(months: ReadonlyMap<string, number[]>): Record<Choice, Column<Row>> {
  const t = useText(segments);
  const of = useText(parts);
  const formats = useFormats();
  return {
    kind: {
      key: 'kind',
      title: t('kind'),
      width: '100px',
      isWide: true,
      cell: ({ kind }) => <Badge>{of(`kind_${kind}`)}</Badge>,
    },
    size: {
      key: 'size',
      title: t('size'),
      width: 'minmax(96px, 110px)',
      isRight: true,
      sort: 'user_count',
      cell: ({ user_count }) => formats.number(user_count),
    },
    month: {
      key: 'month',
      title: t('month'),
      width: '110px',
      isWide: true,
      cell: ({ slug }) => <Sparkline values={months.get(slug) ?? []} />,
    },
    changed: {
      key: 'changed',
      title: t('changed'),
      width: 'minmax(190px, 1.2fr)',
      isWide: true,
      cell: ({ last_change: change }) =>
        change ? (
          <>
            <Text size="sm" truncate>
              <time dateTime={change.at}>{formats.instant(change.at)}</time>
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {formats.utcTime(change.at)} · {t(`operation_${change.operation}`)} · {change.actor}
            </Text>
          </>
        ) : (
          <Text size="xs" c="dimmed">
            {t('never')}
          </Text>
        ),
    },
    percent: {
      key: 'percent',
      title: t('percent'),
      width: '90px',
      isRight: true,
      cell: ({ percent }) => (percent == null ? '' : formats.percent(percent, 4)),
    },
    updated: {
      key: 'updated',
      title: t('updated'),
      width: '180px',
      sort: 'updated_at',
      isWide: true,
      cell: ({ updated_at }) => <Instant at={updated_at} />,
    },
  };
}

export default function Segments() {
  const t = useText(segments);
  const of = useText(parts);
  const may = useMay();
  const [search, change] = useAddress<ReturnType<typeof searched>>();
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [deleting, setDeleting] = useState<string[]>([]);
  const sort = search.sort ?? 'slug';
  const filters = {
    sort,
    ...(search.query ? { query: search.query } : {}),
    ...(search.kind ? { kind: search.kind } : {}),
  };
  const list = useList(['segments', 'stats', filters], (cursor) =>
    ok(
      api.GET('/api/v1/segments/stats', {
        params: { query: { ...filters, limit: PAGE, count: 'exact', ...(cursor ? { cursor } : {}) } },
      }),
    ),
  );
  const shown = CHOICES.filter((choice) => (search.columns ?? SHOWN_AT_FIRST).includes(choice));
  const isNarrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const months = useMonths(list.data?.pages, !isNarrow && shown.includes('month'));
  const known = useColumns(months);
  const mayManage = may('segments.manage');
  const unselect = (slug: string) =>
    setSelected((before) => new Set([...before].filter((one) => one !== slug)));
  const columns: Column<Row>[] = [
    {
      key: 'slug',
      title: t('slug'),
      width: 'minmax(130px, 2fr)',
      sort: 'slug',
      cell: ({ slug, name }) => (
        <>
          <SegmentLink slug={slug} />
          {name !== slug && (
            <Text size="xs" c="dimmed" truncate>
              {name}
            </Text>
          )}
        </>
      ),
    },
    ...shown.map((choice) => known[choice]),
    ...(mayManage
      ? [
          {
            key: 'acts',
            title: t('acts'),
            isTitleHidden: true,
            width: '34px',
            cell: ({ slug }: Row) => <RowMenu slug={slug} onGone={() => unselect(slug)} />,
          },
        ]
      : []),
  ];
  const isFiltered = Boolean(search.query ?? search.kind);
  const create = mayManage && <Button onClick={() => change({ new: true })}>{t('new')}</Button>;
  return (
    <Page title={t('title')} about={t('about')} needs="segments.read" actions={create}>
      <Group gap="sm" align="flex-end">
        <SettledField
          aria-label={t('search')}
          placeholder={t('search')}
          value={search.query ?? ''}
          flex="1 1 200px"
          isSearch
          onSettle={(text) => change({ query: text || undefined })}
        />
        <Select
          aria-label={t('kind')}
          placeholder={t('anyKind')}
          clearable
          clearButtonProps={{ 'aria-label': of('clear') }}
          w={150}
          data={KINDS.map((kind) => ({ value: kind, label: of(`kind_${kind}`) }))}
          value={search.kind ?? null}
          onChange={(kind) => change({ kind: kind ?? undefined })}
        />
        <MultiSelect
          aria-label={t('columns')}
          placeholder={shown.length === 0 ? t('columns') : ''}
          visibleFrom="sm"
          data={CHOICES.map((choice) => ({ value: choice, label: known[choice].title }))}
          value={shown}
          onChange={(columns) => change({ columns })}
        />
      </Group>
      {mayManage && selected.size > 0 && (
        <Group gap="sm">
          <Text size="sm">{t('selected', { count: selected.size })}</Text>
          <Button size="xs" variant="default" onClick={() => setDeleting([...selected])}>
            {t('delete')}
          </Button>
        </Group>
      )}
      <DataTable
        label={t('title')}
        list={list}
        columns={columns}
        id={(row) => row.slug}
        rowHeight={56}
        sort={sort}
        onSort={(next) => change({ sort: next })}
        {...(mayManage ? { selected, onSelect: setSelected } : {})}
        empty={
          isFiltered ? (
            <Empty title={t('nothing')} about={t('nothingAbout')}>
              <Button variant="default" onClick={() => change({ query: undefined, kind: undefined })}>
                {t('clear')}
              </Button>
            </Empty>
          ) : (
            <Empty title={t('empty')} about={t('emptyAbout')}>
              {create}
            </Empty>
          )
        }
      />
      {search.new && mayManage && <NewSegment onClose={() => change({ new: undefined })} />}
      {deleting.length > 0 && (
        <DeleteSegments slugs={deleting} onGone={unselect} onClose={() => setDeleting([])} />
      )}
    </Page>
  );
}
