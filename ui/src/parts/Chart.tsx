import { ActionIcon, Group, Skeleton, Table, Text, Title, Tooltip } from '@mantine/core';
import { Suspense, useRef, useState, type ReactNode } from 'react';
import { lazily } from './lazily';
import { useText } from '../text';
import { useFormats } from '../text/formats';
import type { PlotHandle } from './Plot';
import { csv, localDay, save } from './files';
import { parts } from './messages';

const Plot = lazily(() => import('./Plot'));

/** One line or set of bars, with a value for each of the chart's labels. */
export interface Series {
  name: string;
  values: number[];
  kind: 'line' | 'bar';
  /** A colour of CSS; one of the palette when absent. */
  color?: string;
  stack?: string;
}

export interface ChartProps {
  title: string;
  /** What stands under each point: instants as RFC 3339, instants within local days, or names. */
  labels: string[];
  labelKind: 'instant' | 'day' | 'name';
  /** The heading of the labels in the table and the file. */
  labelTitle: string;
  series: Series[];
  height?: number;
  /** Bars from left to right, for long names. */
  isLying?: boolean;
  /** `0..100` and written with a per cent sign. */
  isPercent?: boolean;
  beside?: ReactNode;
  onPick?: (label: string) => void;
}

const DAY = 86_400_000;

/** Whether the time of day tells nothing that the day does not. */
function areDaysApart([first, second]: string[]): boolean {
  return second === undefined || Date.parse(second) - Date.parse(first ?? '') >= DAY;
}

/** A chart that is also a table, a PNG and a CSV file, and tells its course in words to those who do not see it. */
export function Chart(props: ChartProps) {
  const { title, labels, series, labelKind, labelTitle, height = 240 } = props;
  const t = useText(parts);
  const formats = useFormats();
  const plot = useRef<PlotHandle>(null);
  const [isTable, setTable] = useState(false);
  const value = (number: number) => (props.isPercent ? formats.percent(number) : formats.number(number));
  const label = (text: string) => {
    if (labelKind === 'name') return text;
    return labelKind === 'day' ? formats.day(text) : formats.instant(text);
  };
  const isByDay = labelKind === 'instant' && areDaysApart(labels);
  const tick = (text: string) => (isByDay ? formats.day(text) : label(text));
  // A file is read by programs, and in every language.
  const plain = (text: string) => (labelKind === 'day' ? localDay(text) : text);
  const summary = series
    .filter((one) => one.values.length > 0)
    .map((one) =>
      t('chartSummary', {
        series: one.name,
        first: value(one.values[0] ?? 0),
        last: value(one.values.at(-1) ?? 0),
        low: value(one.values.reduce((a, b) => Math.min(a, b), Infinity)),
        high: value(one.values.reduce((a, b) => Math.max(a, b), -Infinity)),
      }),
    )
    .join(' ');
  const name = title.replace(/[^\p{L}\p{N}]+/gu, '-').toLowerCase();
  const rows = (name: (text: string) => string) =>
    labels.map((text, place) => [name(text), ...series.map((one) => one.values[place] ?? null)]);
  const isEmpty = labels.length === 0;
  return (
    <figure style={{ margin: 0 }}>
      <Group justify="space-between" gap="xs" mb={4}>
        <Group gap="xs" align="baseline">
          <Title order={3}>{title}</Title>
          {props.beside}
        </Group>
        {!isEmpty && (
          <Group gap={4}>
            <Act
              label={isTable ? t('chartPicture') : t('chartTable')}
              sign={isTable ? '◔' : '☰'}
              onClick={() => setTable(!isTable)}
            />
            {!isTable && (
              <Act label={t('savePng')} sign="PNG" onClick={() => plot.current?.png(`${name}.png`)} />
            )}
            <Act
              label={t('saveCsv')}
              sign="CSV"
              onClick={() =>
                save(`${name}.csv`, csv([[labelTitle, ...series.map((one) => one.name)], ...rows(plain)]))
              }
            />
          </Group>
        )}
      </Group>
      {isEmpty && (
        <Text c="dimmed" size="sm">
          {t('noData')}
        </Text>
      )}
      {!isEmpty && isTable && (
        <Table.ScrollContainer minWidth={280} mah={height * 1.5}>
          <Table striped aria-label={title}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{labelTitle}</Table.Th>
                {series.map((one) => (
                  <Table.Th key={one.name} ta="right">
                    {one.name}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows(label).map(([text, ...values], place) => (
                <Table.Tr key={place}>
                  <Table.Td>{text}</Table.Td>
                  {values.map((one, at) => (
                    <Table.Td key={at} ta="right" className="number">
                      {typeof one === 'number' ? value(one) : ''}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {!isEmpty && !isTable && (
        <>
          <div role="img" aria-label={`${title}. ${summary}`}>
            <Suspense fallback={<Skeleton height={height} />}>
              <Plot
                ref={plot}
                {...props}
                height={height}
                formatLabel={label}
                formatTick={tick}
                formatValue={value}
              />
            </Suspense>
          </div>
          <Text component="figcaption" size="xs" c="dimmed">
            {t('chartPoints', { count: labels.length })}
          </Text>
        </>
      )}
    </figure>
  );
}

function Act({ label, sign, onClick }: { label: string; sign: string; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        w="auto"
        px={6}
        aria-label={label}
        onClick={onClick}
      >
        <Text span size="xs" c="dimmed">
          {sign}
        </Text>
      </ActionIcon>
    </Tooltip>
  );
}
