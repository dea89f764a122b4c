import { Button, Group, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Instant } from '../../parts/Instant';
import { SegmentLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { InstantField } from '../../parts/InstantField';
import { AddToSegment } from './AddToSegment';
import { useAddress } from './address';
import { user } from './messages';
import { RemoveFromSegment } from './RemoveFromSegment';
import { useSource } from './words';

type Row = Schemas['UserMembership'];

/** The segments of a user, now or at an instant. */
export function Memberships({ id }: { id: string }) {
  const t = useText(user);
  const may = useMay();
  // Instants take more lines there.
  const isNarrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const [search, change] = useAddress();
  const asOf = search.as_of;
  const isNow = asOf === undefined;
  const mayAssign = may('memberships.assign') && isNow;
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<string | null>(null);
  const columns = useColumns({
    onWhy: (why) => change({ why }),
    onRemove: mayAssign ? setRemoved : undefined,
  });
  const list = useList<Row>(['memberships', 'user', id, asOf ?? null], async () => {
    const { items } = await ok(
      api.GET('/api/v1/users/{user_id}/memberships', {
        params: { path: { user_id: id }, query: asOf ? { as_of: asOf } : {} },
      }),
    );
    return { items, next_cursor: null };
  });
  const add = mayAssign && <Button onClick={() => setAdding(true)}>{t('add')}</Button>;
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <AsOfField asOf={asOf} onChange={(as_of) => change({ as_of })} />
        {add}
      </Group>
      <DataTable
        label={t('segmentsOf', { id })}
        list={list}
        columns={columns}
        id={(row) => row.slug}
        rowHeight={isNarrow ? 88 : 66}
        maxHeight={560}
        empty={
          isNow ? (
            <Empty title={t('noSegments')} about={t('noSegmentsAbout')}>
              {add}
            </Empty>
          ) : (
            <Empty title={t('noSegmentsThen')} about={t('noSegmentsThenAbout')} />
          )
        }
      />
      {isAdding && <AddToSegment id={id} onClose={() => setAdding(false)} />}
      {removed !== null && <RemoveFromSegment id={id} slug={removed} onClose={() => setRemoved(null)} />}
    </Stack>
  );
}

interface AsOfFieldProps {
  asOf: string | undefined;
  onChange: (asOf: string | undefined) => void;
}

function AsOfField({ asOf, onChange }: AsOfFieldProps) {
  const t = useText(user);
  const formats = useFormats();
  return (
    <Group align="flex-end" gap="xs">
      <InstantField
        label={t('asOf')}
        hint={(at) => (at ? t('asOfHint', { utc: formats.utc(at) }) : t('asOfNow'))}
        at={asOf}
        onSettle={onChange}
        w={240}
      />
      {asOf !== undefined && (
        <Button variant="default" onClick={() => onChange(undefined)}>
          {t('now')}
        </Button>
      )}
    </Group>
  );
}

interface Acts {
  onWhy: (slug: string) => void;
  /** Absent for who may not, and for what was so once. */
  onRemove: ((slug: string) => void) | undefined;
}

function useColumns({ onWhy, onRemove }: Acts): Column<Row>[] {
  const t = useText(user);
  const source = useSource();
  const cut = (text: string | null) => (
    <Text size="sm" truncate title={text ?? ''}>
      {text}
    </Text>
  );
  return [
    {
      key: 'slug',
      title: t('segment'),
      width: 'minmax(108px, 1.5fr)',
      cell: (row) => <SegmentLink slug={row.slug} />,
    },
    {
      key: 'since',
      title: t('since'),
      width: 'minmax(172px, 1.2fr)',
      isWide: true,
      cell: (row) => <Instant at={row.since} />,
    },
    {
      key: 'deadline',
      title: t('deadline'),
      width: 'minmax(92px, 1.2fr)',
      cell: (row) =>
        row.expires_at ? (
          <Instant at={row.expires_at} />
        ) : (
          <Text size="xs" c="dimmed">
            {t('noDeadline')}
          </Text>
        ),
    },
    { key: 'source', title: t('source'), width: '1fr', isWide: true, cell: (row) => cut(source(row.source)) },
    { key: 'actor', title: t('actor'), width: '0.8fr', isWide: true, cell: (row) => cut(row.actor) },
    { key: 'reason', title: t('reason'), width: '1.2fr', isWide: true, cell: (row) => cut(row.reason) },
    {
      key: 'acts',
      title: t('acts'),
      width: onRemove ? 'minmax(70px, min(150px, 20vw))' : '80px',
      cell: (row) => (
        <Group gap={4}>
          <Button
            size="compact-xs"
            variant="default"
            aria-label={t('whyOf', { segment: row.slug })}
            onClick={() => onWhy(row.slug)}
          >
            {t('why')}
          </Button>
          {onRemove && (
            <Button
              size="compact-xs"
              variant="default"
              aria-label={t('removeOf', { segment: row.slug })}
              onClick={() => onRemove(row.slug)}
            >
              {t('remove')}
            </Button>
          )}
        </Group>
      ),
    },
  ];
}
