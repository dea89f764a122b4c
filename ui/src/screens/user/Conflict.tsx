import { Button, Group, Modal, Stack, Table, Text } from '@mantine/core';
import { parts } from '../../parts/messages';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { user } from './messages';
import { patched } from './profile';
import type { Between } from './useProfile';

interface ConflictProps {
  conflict: Between;
  isBusy: boolean;
  error: unknown;
  onTheirs: () => void;
  onYours: () => void;
  onClose: () => void;
}

/** Both versions side by side, when somebody else was quicker. */
export function Conflict({ conflict, isBusy, error, onTheirs, onYours, onClose }: ConflictProps) {
  const t = useText(user);
  const of = useText(parts);
  const { version } = conflict.theirs.value;
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t('conflict')}
      closeButtonProps={{ 'aria-label': of('close') }}
    >
      <Stack>
        <Text size="sm">{t('conflictAbout', { version })}</Text>
        <Versions conflict={conflict} />
        <ProblemAlert error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('decideLater')}
          </Button>
          <Button variant="default" onClick={onTheirs}>
            {t('takeTheirs')}
          </Button>
          <Button onClick={onYours} loading={isBusy}>
            {t('saveYours')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Versions({ conflict: { patch, theirs } }: { conflict: Between }) {
  const t = useText(user);
  const yours = patched(theirs.value, patch);
  const json = (value: unknown) => JSON.stringify(value, null, 2);
  const rows = [
    [t('name'), yours.name, theirs.value.name],
    [t('email'), yours.email, theirs.value.email],
    [t('attributes'), json(yours.attributes), json(theirs.value.attributes)],
  ] as const;
  const cell = (text: string | null) => (
    <Text size="sm" className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
      {text ?? t('none')}
    </Text>
  );
  return (
    <Table layout="fixed" verticalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('field')}</Table.Th>
          <Table.Th>{t('yours')}</Table.Th>
          <Table.Th>{t('theirs')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(([name, mine, other]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row">
              {name}
              {mine !== other && (
                <Text size="xs" c="dimmed">
                  {t('differs')}
                </Text>
              )}
            </Table.Th>
            <Table.Td>{cell(mine)}</Table.Td>
            <Table.Td>{cell(other)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
