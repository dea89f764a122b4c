import { Kbd, Modal, Table } from '@mantine/core';
import { useMay } from '../api/me';
import { parts } from '../parts/messages';
import { useText } from '../text';
import { shell } from './messages';
import { SECTIONS } from './sections';

/** Which keys there are. */
export default function Help({ onClose }: { onClose: () => void }) {
  const t = useText(shell);
  const of = useText(parts);
  const may = useMay();
  const sections = SECTIONS.filter(({ needs }) => needs === undefined || may(needs));
  const keys: [string[], string][] = [
    [['/'], t('keySearch')],
    [['Ctrl', 'K'], t('keyPalette')],
    [['?'], t('keyHelp')],
    [['Esc'], t('keyEscape')],
    ...(may('segments.manage') ? [[['c'], t('keyNew')] as [string[], string]] : []),
    ...sections.map(
      ({ key, letter }) => [['g', letter], t('keyGo', { section: t(key) })] as [string[], string],
    ),
  ];
  return (
    <Modal opened onClose={onClose} title={t('helpTitle')} closeButtonProps={{ 'aria-label': of('close') }}>
      <Table>
        <Table.Tbody>
          {keys.map(([pressed, what]) => (
            <Table.Tr key={pressed.join(' ')}>
              <Table.Td w={110}>
                {pressed.map((key) => (
                  <Kbd key={key} mr={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
