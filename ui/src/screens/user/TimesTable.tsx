import { Table, Text } from '@mantine/core';
import { Instant } from '../../parts/Instant';
import { SegmentLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import type { Interval, Lane } from './lanes';
import { user } from './messages';

/** The same as the bars, in words. */
export function TimesTable({ lanes }: { lanes: Lane[] }) {
  const t = useText(user);
  return (
    <Table.ScrollContainer minWidth={560} mah={560}>
      <Table aria-label={t('timelineTitle')} verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('segment')}</Table.Th>
            <Table.Th>{t('from')}</Table.Th>
            <Table.Th>{t('to')}</Table.Th>
            <Table.Th>{t('deadline')}</Table.Th>
            <Table.Th>{t('end')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lanes.flatMap((lane) =>
            lane.intervals.map((interval, place) => (
              <Time key={`${lane.segment} ${place}`} lane={lane} interval={interval} />
            )),
          )}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Time({ lane, interval }: { lane: Lane; interval: Interval }) {
  const t = useText(user);
  return (
    <Table.Tr>
      <Table.Td>
        <SegmentLink slug={lane.segment} />
        <Formerly slugs={lane.formerly} />
      </Table.Td>
      <Table.Td>{interval.from ? <Instant at={interval.from} /> : t('before')}</Table.Td>
      <Table.Td>{interval.to && <Instant at={interval.to} />}</Table.Td>
      <Table.Td>{interval.deadline ? <Instant at={interval.deadline} /> : t('noDeadline')}</Table.Td>
      <Table.Td>{t(`end_${interval.end}`)}</Table.Td>
    </Table.Tr>
  );
}

export function Formerly({ slugs }: { slugs: string[] }) {
  const t = useText(user);
  const formats = useFormats();
  if (slugs.length === 0) return null;
  return (
    <Text size="xs" c="dimmed" className="breaks">
      {t('formerly', { slugs: formats.list(slugs) })}
    </Text>
  );
}
