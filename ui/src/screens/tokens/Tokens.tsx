import { Anchor, Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useMay } from '../../api/me';
import { DataTable, useList, type Column } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Page } from '../../parts/Page';
import { useText } from '../../text';
import { Details, Revoke } from './Details';
import { tokens } from './messages';
import { NewToken } from './NewToken';
import type { Token } from './rights';
import { Ends, Prefix, TokenActs, TokenBadge, Used, useScopes } from './TokenParts';

type Open =
  | { what: 'new' }
  | { what: 'details'; token: Token }
  | { what: 'replace'; token: Token }
  | { what: 'revoke'; token: Token };

export default function Tokens() {
  const t = useText(tokens);
  const may = useMay();
  const [open, setOpen] = useState<Open | null>(null);
  const list = useList<Token>(
    ['tokens', 'list'],
    (cursor) =>
      ok(
        api.GET('/api/v1/tokens', {
          params: { query: { limit: 100, count: 'exact', ...(cursor ? { cursor } : {}) } },
        }),
      ),
    may('tokens.manage'),
  );
  // What a token is by now, as of when the list was asked.
  const now = list.dataUpdatedAt;
  const columns = useColumns(now, setOpen);
  const create = <Button onClick={() => setOpen({ what: 'new' })}>{t('new')}</Button>;
  return (
    <Page title={t('title')} about={t('about')} needs="tokens.manage" actions={create}>
      <DataTable
        label={t('title')}
        list={list}
        columns={columns}
        id={(token) => String(token.id)}
        rowHeight={52}
        empty={
          <Empty title={t('emptyTitle')} about={t('emptyAbout')}>
            {create}
          </Empty>
        }
      />
      {open && <Opened open={open} now={now} setOpen={setOpen} />}
    </Page>
  );
}

interface OpenedProps {
  open: Open;
  now: number;
  setOpen: (open: Open | null) => void;
}

function Opened({ open, now, setOpen }: OpenedProps) {
  const close = () => setOpen(null);
  switch (open.what) {
    case 'new':
      return <NewToken onClose={close} />;
    case 'replace':
      return <NewToken before={open.token} onClose={close} />;
    case 'revoke':
      return <Revoke token={open.token} onClose={close} />;
    case 'details':
      return (
        <Details
          token={open.token}
          now={now}
          onReplace={() => setOpen({ what: 'replace', token: open.token })}
          onRevoke={() => setOpen({ what: 'revoke', token: open.token })}
          onClose={close}
        />
      );
  }
}

function useColumns(now: number, setOpen: (open: Open) => void): Column<Token>[] {
  const t = useText(tokens);
  const scopes = useScopes();
  const text = (words: string) => (
    <Text size="sm" truncate title={words}>
      {words}
    </Text>
  );
  return [
    {
      key: 'name',
      title: t('name'),
      width: 'minmax(110px, 1.5fr)',
      cell: (token) => (
        <Anchor
          component="button"
          type="button"
          size="sm"
          ta="start"
          className="breaks"
          aria-label={t('show', { name: token.name })}
          onClick={() => setOpen({ what: 'details', token })}
        >
          {token.name}
        </Anchor>
      ),
    },
    {
      key: 'state',
      title: t('state'),
      width: 'minmax(90px, 140px)',
      cell: (token) => <TokenBadge token={token} now={now} />,
    },
    {
      key: 'scopes',
      title: t('scopes'),
      width: 'minmax(120px, 1.6fr)',
      isWide: true,
      cell: (token) => text(scopes(token)),
    },
    {
      key: 'prefix',
      title: t('prefixShort'),
      width: 'minmax(70px, 1fr)',
      isWide: true,
      cell: (token) => <Prefix token={token} />,
    },
    {
      key: 'expires',
      title: t('expires'),
      width: '172px',
      isWide: true,
      cell: (token) => <Ends token={token} />,
    },
    { key: 'used', title: t('used'), width: 'minmax(90px, 130px)', cell: (token) => <Used token={token} /> },
    {
      key: 'by',
      title: t('createdBy'),
      width: 'minmax(90px, 1fr)',
      isWide: true,
      cell: (token) => text(token.created_by),
    },
    {
      key: 'acts',
      title: t('acts'),
      width: '190px',
      isWide: true,
      cell: (token) => (
        <Group gap={6} wrap="nowrap">
          <TokenActs
            token={token}
            now={now}
            onReplace={() => setOpen({ what: 'replace', token })}
            onRevoke={() => setOpen({ what: 'revoke', token })}
          />
        </Group>
      ),
    },
  ];
}
