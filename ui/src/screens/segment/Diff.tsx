import { Button, Group, List, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { Instant } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { UserLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { segment as messages } from './messages';
import { endsOf, isTurned, type HistoryFilters } from './period';

type Ends = NonNullable<ReturnType<typeof endsOf>>;

/** Who is in at one end of the period and not at the other. */
export function Diff({ slug, filters }: { slug: string; filters: HistoryFilters }) {
  const t = useText(messages);
  const ends = endsOf(filters);
  const say = (text: string) => (
    <Text size="sm" c="dimmed">
      {text}
    </Text>
  );
  return (
    <Panel title={t('diff')}>
      {say(t('diffAbout'))}
      {!ends && say(t('diffChoose'))}
      {ends && (isTurned(ends) ? say(t('diffTurned')) : <Compared slug={slug} ends={ends} />)}
    </Panel>
  );
}

function useDiff(slug: string, { from, to }: Ends) {
  return useInfiniteQuery({
    queryKey: ['history', 'diff', slug, from, to],
    queryFn: ({ pageParam }) =>
      ok(
        api.GET('/api/v1/segments/{slug}/users/diff', {
          params: { path: { slug }, query: { from, limit: 1000, ...(to ? { to } : {}), ...pageParam } },
        }),
      ),
    initialPageParam: {},
    // The end that the first page took for “now”, so that all pages compare the same.
    getNextPageParam: (last) => (last.next_cursor ? { cursor: last.next_cursor, to: last.to } : undefined),
    select: ({ pages }) => ({
      from: pages[0]?.from ?? from,
      to: pages[0]?.to ?? from,
      entered: pages.flatMap((page) => page.entered),
      left: pages.flatMap((page) => page.left),
    }),
  });
}

function Compared({ slug, ends }: { slug: string; ends: Ends }) {
  const t = useText(messages);
  const formats = useFormats();
  const query = useDiff(slug, ends);
  const isPartly = query.hasNextPage;
  return (
    <Loaded query={query} height={160}>
      {(found) => {
        const entered = { shown: formats.number(found.entered.length) };
        const left = { shown: formats.number(found.left.length) };
        return (
          <Stack gap="sm">
            <Text size="sm">
              <Instant at={found.from} inline /> {'→'} <Instant at={found.to} inline />
            </Text>
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <Users
                title={isPartly ? t('diffEnteredSoFar', entered) : t('diffEntered', entered)}
                ids={found.entered}
              />
              <Users title={isPartly ? t('diffLeftSoFar', left) : t('diffLeft', left)} ids={found.left} />
            </SimpleGrid>
            {isPartly && (
              <Group gap="sm">
                <Button
                  variant="default"
                  loading={query.isFetchingNextPage}
                  onClick={() => void query.fetchNextPage()}
                >
                  {t('diffMore')}
                </Button>
                <Text size="sm" c="dimmed">
                  {t('diffPartly')}
                </Text>
              </Group>
            )}
          </Stack>
        );
      }}
    </Loaded>
  );
}

/** All of them can be scrolled to; drawing is left to the browser while they are out of sight. */
function Users({ title, ids }: { title: string; ids: string[] }) {
  const t = useText(messages);
  return (
    <section>
      <Title order={3}>{title}</Title>
      {ids.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('diffNobody')}
        </Text>
      ) : (
        <List
          listStyleType="none"
          mah={280}
          style={{ overflow: 'auto' }}
          // Scrolled by keyboard.
          aria-label={title}
        >
          {ids.map((id) => (
            <List.Item key={id} style={{ contentVisibility: 'auto', containIntrinsicSize: 'auto 22px' }}>
              <UserLink id={id} />
            </List.Item>
          ))}
        </List>
      )}
    </section>
  );
}
