import { Anchor, Box, Table, Text } from '@mantine/core';
import type { Call } from '../../api/calls';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { playground } from './messages';

interface CallListProps {
  calls: Call[];
  picked: number | undefined;
  onPick: (id: number) => void;
}

/** The newest first. */
export function CallList({ calls, picked, onPick }: CallListProps) {
  const t = useText(playground);
  return (
    <Box mah={520} style={{ overflow: 'auto' }}>
      <Table aria-label={t('calls')} verticalSpacing={4} stickyHeader highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('call')}</Table.Th>
            <Table.Th>{t('status')}</Table.Th>
            <Table.Th ta="right" visibleFrom="sm">
              {t('took')}
            </Table.Th>
            <Table.Th ta="right">{t('at')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {calls.map((call) => (
            <Row key={call.id} call={call} isPicked={call.id === picked} onPick={() => onPick(call.id)} />
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

function Row({ call, isPicked, onPick }: { call: Call; isPicked: boolean; onPick: () => void }) {
  const t = useText(playground);
  const formats = useFormats();
  return (
    <Table.Tr bg={isPicked ? 'var(--strata-hover)' : undefined}>
      <Table.Td>
        <Anchor
          component="button"
          type="button"
          size="sm"
          ta="left"
          ff="monospace"
          className="breaks"
          aria-pressed={isPicked}
          onClick={onPick}
        >
          {call.method} {call.path}
        </Anchor>
      </Table.Td>
      <Table.Td className="number">{call.status ?? t('underWay')}</Table.Td>
      <Table.Td ta="right" className="number" style={{ whiteSpace: 'nowrap' }} visibleFrom="sm">
        {call.ms === null ? '' : t('ms', { ms: formats.number(call.ms) })}
      </Table.Td>
      <Table.Td ta="right">
        <Text span size="xs" c="dimmed">
          <time dateTime={new Date(call.at).toISOString()}>{formats.time(call.at)}</time>
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}
