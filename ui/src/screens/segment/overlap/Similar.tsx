import { Button, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../../api/client';
import { AsOf } from '../../../parts/Instant';
import { Loaded } from '../../../parts/Loaded';
import { Panel } from '../../../parts/Panel';
import { SegmentLink } from '../../../parts/SegmentLink';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { overlap } from './messages';
import { SEGMENTS_MAX } from './sets';

const SHOWN = 10;

interface SimilarProps {
  slug: string;
  compared: string[];
  onCompare: (slug: string) => void;
}

/** What may be the same segment made twice. */
export function Similar({ slug, compared, onCompare }: SimilarProps) {
  const t = useText(overlap);
  const query = useQuery({
    queryKey: ['segments', 'similar', slug],
    queryFn: () =>
      ok(api.GET('/api/v1/segments/{slug}/similar', { params: { path: { slug }, query: { limit: SHOWN } } })),
  });
  return (
    <Panel title={t('similar')} actions={<AsOf at={query.dataUpdatedAt} />}>
      <Text size="sm" c="dimmed" maw="80ch">
        {t('similarAbout')}
      </Text>
      <Loaded query={query} height={200}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm">{t('similarNone')}</Text>
          ) : (
            <Rows items={items} compared={compared} onCompare={onCompare} />
          )
        }
      </Loaded>
    </Panel>
  );
}

type RowsProps = Omit<SimilarProps, 'slug'> & { items: Schemas['SimilarSegment'][] };

function Rows({ items, compared, onCompare }: RowsProps) {
  const t = useText(overlap);
  const formats = useFormats();
  return (
    <Table.ScrollContainer minWidth={300}>
      <Table aria-label={t('similar')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('segment')}</Table.Th>
            <Table.Th ta="right">{t('likeness')}</Table.Th>
            <Table.Th ta="right">{t('shared')}</Table.Th>
            <Table.Th ta="right">{t('users')}</Table.Th>
            <Table.Th>{t('compare')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map(({ segment, jaccard, shared, user_count }) => (
            <Table.Tr key={segment}>
              <Table.Td>
                <SegmentLink slug={segment} />
              </Table.Td>
              <Table.Td ta="right" className="number">
                {formats.percent(jaccard * 100)}
              </Table.Td>
              <Table.Td ta="right" className="number">
                {formats.number(shared)}
              </Table.Td>
              <Table.Td ta="right" className="number">
                {formats.number(user_count)}
              </Table.Td>
              <Table.Td>
                {compared.includes(segment) ? (
                  <Text size="xs" c="dimmed">
                    {t('isCompared')}
                  </Text>
                ) : (
                  <Button
                    size="compact-xs"
                    variant="default"
                    disabled={compared.length >= SEGMENTS_MAX}
                    aria-label={t('compareWith', { slug: segment })}
                    onClick={() => onCompare(segment)}
                  >
                    {t('compare')}
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
