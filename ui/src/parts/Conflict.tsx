import { Button, Group, Modal, Stack, Table, Text } from '@mantine/core';
import { useText } from '../text';
import { parts } from './messages';
import { ProblemAlert } from './ProblemAlert';

export interface ConflictRow {
  name: string;
  mine: string | null;
  theirs: string | null;
}

interface ConflictProps {
  title: string;
  /** Which version is there by now, and what becomes of one's own. */
  about: string;
  rows: ConflictRow[];
  isBusy: boolean;
  error: unknown;
  onTheirs: () => void;
  onMine: () => void;
  onClose: () => void;
}

/** Both versions side by side, when somebody else was quicker. */
export function Conflict({ title, about, rows, isBusy, error, onTheirs, onMine, onClose }: ConflictProps) {
  const t = useText(parts);
  return (
    <Modal opened onClose={onClose} size="lg" title={title} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <Text size="sm">{about}</Text>
        <Versions rows={rows} />
        <ProblemAlert error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('decideLater')}
          </Button>
          <Button variant="default" onClick={onTheirs}>
            {t('takeTheirs')}
          </Button>
          <Button onClick={onMine} loading={isBusy}>
            {t('saveMine')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Versions({ rows }: { rows: ConflictRow[] }) {
  const t = useText(parts);
  const cell = (text: string | null) => (
    <Text size="sm" className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
      {text || t('nothing')}
    </Text>
  );
  return (
    <Table layout="fixed" verticalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('field')}</Table.Th>
          <Table.Th>{t('mine')}</Table.Th>
          <Table.Th>{t('theirs')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(({ name, mine, theirs }) => (
          <Table.Tr key={name}>
            <Table.Th scope="row">
              {name}
              {mine !== theirs && (
                <Text size="xs" c="dimmed">
                  {t('differs')}
                </Text>
              )}
            </Table.Th>
            <Table.Td>{cell(mine)}</Table.Td>
            <Table.Td>{cell(theirs)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
