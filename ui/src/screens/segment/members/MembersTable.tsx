import { Button, Group, Paper, Text } from '@mantine/core';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../../api/client';
import { useMay } from '../../../api/me';
import { DataTable, useList, type Column } from '../../../parts/DataTable';
import { Empty } from '../../../parts/Empty';
import { Instant } from '../../../parts/Instant';
import { UserLink } from '../../../parts/SegmentLink';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { ChangeDeadline } from './ChangeDeadline';
import { members } from './messages';
import type { Filters } from './past';
import { Remove } from './Remove';

type Member = Schemas['Member'];

interface MembersTableProps {
  slug: string;
  filters: Filters;
  onClear: () => void;
  onAct: (act: 'add' | 'import') => void;
}

export function MembersTable({ slug, filters, onClear, onAct }: MembersTableProps) {
  const t = useText(members);
  const may = useMay();
  const columns = useColumns();
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const list = useList<Member>(['memberships', 'segment', slug, filters], (cursor) =>
    ok(
      api.GET('/api/v1/segments/{slug}/users', {
        params: {
          path: { slug },
          query: { limit: 200, count: 'exact', ...filters, ...(cursor ? { cursor } : {}) },
        },
      }),
    ),
  );
  const canChange = may('memberships.assign') && filters.as_of === undefined;
  const about = filters.as_of === undefined ? t('nobodyAbout') : t('nobodyThen');
  return (
    <>
      {selected.size > 0 && <Selection slug={slug} selected={selected} onChange={setSelected} />}
      <DataTable
        label={t('membersOf', { slug })}
        list={list}
        columns={columns}
        id={(row) => row.user_id}
        rowHeight={50}
        maxHeight={560}
        selected={canChange ? selected : undefined}
        onSelect={canChange ? setSelected : undefined}
        empty={
          filters.query ? (
            <Empty title={t('noneFound')}>
              <Button variant="default" onClick={onClear}>
                {t('clearSearch')}
              </Button>
            </Empty>
          ) : (
            <Empty title={t('nobody')} about={about}>
              {canChange && <Button onClick={() => onAct('add')}>{t('add')}</Button>}
              {canChange && may('segments.manage') && (
                <Button variant="default" onClick={() => onAct('import')}>
                  {t('import')}
                </Button>
              )}
            </Empty>
          )
        }
      />
    </>
  );
}

interface SelectionProps {
  slug: string;
  selected: Set<string>;
  onChange: (selected: Set<string>) => void;
}

/** What can be done with those who are selected. Whoever it failed for stays selected. */
function Selection({ slug, selected, onChange }: SelectionProps) {
  const t = useText(members);
  const formats = useFormats();
  const [asked, setAsked] = useState<'remove' | 'deadline' | null>(null);
  const close = () => setAsked(null);
  const acts = {
    slug,
    ids: [...selected],
    onClose: close,
    onLeft: (ids: string[]) => onChange(new Set(ids)),
  };
  return (
    <Paper withBorder p="xs" role="group" aria-label={t('selection')}>
      <Group gap="xs">
        <Text size="sm" role="status">
          {t('selected', { count: selected.size, shown: formats.number(selected.size) })}
        </Text>
        <Button size="compact-sm" variant="default" onClick={() => setAsked('deadline')}>
          {t('changeDeadline')}
        </Button>
        <Button size="compact-sm" color="red.9" onClick={() => setAsked('remove')}>
          {t('remove')}
        </Button>
        <Button size="compact-sm" variant="subtle" onClick={() => onChange(new Set())}>
          {t('unselect')}
        </Button>
      </Group>
      {asked === 'remove' && <Remove {...acts} />}
      {asked === 'deadline' && <ChangeDeadline {...acts} />}
    </Paper>
  );
}

function useColumns(): Column<Member>[] {
  const t = useText(members);
  return [
    {
      key: 'user',
      title: t('user'),
      width: 'minmax(90px, 1.4fr)',
      cell: (row) => <UserLink id={row.user_id} />,
    },
    {
      key: 'since',
      title: t('since'),
      width: 'minmax(170px, 1.5fr)',
      isWide: true,
      cell: (row) => <Instant at={row.since} />,
    },
    {
      key: 'expires',
      title: t('expiresAt'),
      width: 'minmax(150px, 1.5fr)',
      cell: (row) =>
        row.expires_at ? (
          <Instant at={row.expires_at} />
        ) : (
          <Text size="sm" c="dimmed">
            {t('open')}
          </Text>
        ),
    },
    { key: 'source', title: t('source'), width: '1fr', isWide: true, cell: (row) => row.source },
    { key: 'actor', title: t('actor'), width: '1fr', isWide: true, cell: (row) => row.actor },
    {
      key: 'reason',
      title: t('reason'),
      width: '1.6fr',
      isWide: true,
      cell: (row) => (
        <Text size="sm" truncate title={row.reason ?? ''}>
          {row.reason}
        </Text>
      ),
    },
  ];
}
