import { Table, Text } from '@mantine/core';
import type { Schemas } from '../../../api/client';
import { Panel } from '../../../parts/Panel';
import { SegmentLink } from '../../../parts/SegmentLink';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { overlap } from './messages';

/** No darker than that words on it stay readable. */
const SHADE_MAX = 40;

const shade = (share: number) => ({
  background: `color-mix(in srgb, var(--mantine-primary-color-filled) ${share * SHADE_MAX}%, transparent)`,
});

/** How alike each two of the segments are. */
export function Jaccard({ value }: { value: Schemas['Overlap'] }) {
  const t = useText(overlap);
  const formats = useFormats();
  return (
    <Panel title={t('jaccard')}>
      <Text size="sm" c="dimmed" maw="80ch">
        {t('jaccardAbout')}
      </Text>
      <Table.ScrollContainer minWidth={300}>
        <Table withColumnBorders aria-label={t('jaccard')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('segment')}</Table.Th>
              {value.segments.map(({ segment }) => (
                <Table.Th key={segment} ta="right" className="breaks" miw={72}>
                  {segment}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {value.segments.map(({ segment }, row) => (
              <Table.Tr key={segment}>
                <Table.Th scope="row" miw={90}>
                  <SegmentLink slug={segment} />
                </Table.Th>
                {(value.jaccard[row] ?? []).map((share, column) => (
                  <Table.Td key={column} ta="right" className="number" style={shade(share)}>
                    {formats.percent(share * 100)}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}
