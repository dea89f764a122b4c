import { Button, Group, Table, Text } from '@mantine/core';
import { useState } from 'react';
import type { Schemas } from '../../../api/client';
import { csv, save } from '../../../parts/files';
import { Panel } from '../../../parts/Panel';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { overlap } from './messages';
import { expressionOf, rowsOf, sortedBySize, totalOf, type Intersection } from './sets';
import { UpSet } from './UpSet';

const SHOWN = 30;

interface IntersectionsProps {
  value: Schemas['Overlap'];
  onPick: (expression: string) => void;
}

export function Intersections({ value, onPick }: IntersectionsProps) {
  const t = useText(overlap);
  const formats = useFormats();
  const [isTable, setTable] = useState(false);
  const [isAll, setAll] = useState(false);
  const slugs = value.segments.map(({ segment }) => segment);
  const sorted = sortedBySize(value.intersections, slugs);
  const columns = isAll ? sorted : sorted.slice(0, SHOWN);
  const saveFile = () => save(`overlap-${slugs[0] ?? ''}.csv`, csv(rowsOf(sorted, slugs, 'user_count')));
  const actions = sorted.length > 0 && (
    <>
      <Button size="compact-sm" variant="default" onClick={() => setTable(!isTable)}>
        {isTable ? t('asPlot') : t('asTable')}
      </Button>
      <Button size="compact-sm" variant="default" onClick={saveFile}>
        {t('saveCsv')}
      </Button>
    </>
  );
  return (
    <Panel title={t('intersections')} actions={actions}>
      <Text size="sm" c="dimmed" maw="80ch">
        {sorted.length === 0
          ? t('noMembers')
          : t('intersectionsAbout', { users: formats.number(totalOf(sorted)) })}
      </Text>
      {sorted.length > 0 &&
        (isTable ? (
          <Rows columns={columns} all={sorted} slugs={slugs} onPick={onPick} />
        ) : (
          <UpSet segments={value.segments} columns={columns} onPick={onPick} />
        ))}
      {sorted.length > SHOWN && (
        <Group>
          <Button size="compact-sm" variant="subtle" onClick={() => setAll(!isAll)}>
            {isAll ? t('showLargest', { count: SHOWN }) : t('showAll', { count: sorted.length })}
          </Button>
        </Group>
      )}
    </Panel>
  );
}

interface RowsProps {
  columns: Intersection[];
  all: Intersection[];
  slugs: string[];
  onPick: (expression: string) => void;
}

function Rows({ columns, all, slugs, onPick }: RowsProps) {
  const t = useText(overlap);
  const formats = useFormats();
  const total = Math.max(1, totalOf(all));
  return (
    <Table.ScrollContainer minWidth={300} mah={480}>
      <Table striped aria-label={t('intersections')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('exactly')}</Table.Th>
            <Table.Th ta="right">{t('users')}</Table.Th>
            <Table.Th ta="right">{t('share')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {columns.map(({ segments, user_count }) => {
            const expression = expressionOf(segments, slugs);
            return (
              <Table.Tr key={expression}>
                <Table.Td className="breaks">
                  <Button
                    variant="subtle"
                    size="compact-sm"
                    h="auto"
                    title={t('column', { expression, users: formats.number(user_count) })}
                    styles={{ label: { whiteSpace: 'normal', textAlign: 'left' } }}
                    onClick={() => onPick(expression)}
                  >
                    {formats.list(segments)}
                  </Button>
                </Table.Td>
                <Table.Td ta="right" className="number">
                  {formats.number(user_count)}
                </Table.Td>
                <Table.Td ta="right" className="number">
                  {formats.percent((user_count / total) * 100)}
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
