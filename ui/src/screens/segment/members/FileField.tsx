import { Alert, Button, FileButton, Group, Paper, Table, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { members } from './messages';
import { previewOf } from './rows';

/** What was chosen, with its words. */
export interface Chosen {
  name: string;
  size: number;
  text: string;
}

const SHOWN = 5;

interface FileFieldProps {
  chosen: Chosen | null;
  isBusy: boolean;
  onChoose: (chosen: Chosen) => void;
}

/** A file by dropping it, or by a button. */
export function FileField({ chosen, isBusy, onChoose }: FileFieldProps) {
  const t = useText(members);
  const formats = useFormats();
  const [isOver, setOver] = useState(false);
  const [isUnreadable, setUnreadable] = useState(false);
  const reset = useRef<() => void>(null);
  const take = (file: File | null | undefined) => {
    // The same file, mended, is a choice as well.
    reset.current?.();
    if (!file || isBusy) return;
    const { name, size } = file;
    setUnreadable(false);
    file.text().then(
      (text) => onChoose({ name, size, text }),
      () => setUnreadable(true),
    );
  };
  return (
    <>
      <Paper
        withBorder
        p="md"
        style={{ borderStyle: 'dashed', ...(isOver ? { background: 'var(--strata-hover)' } : {}) }}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer.files[0]);
        }}
      >
        <Group>
          <FileButton onChange={take} resetRef={reset} accept=".csv,.tsv,.txt,text/csv">
            {(props) => (
              <Button variant="default" {...props}>
                {t('chooseFile')}
              </Button>
            )}
          </FileButton>
          <Text size="sm" className="breaks" role="status">
            {chosen ? `${chosen.name} · ${formats.bytes(chosen.size)}` : t('dropHere')}
          </Text>
        </Group>
        <Text size="xs" c="dimmed" mt="xs">
          {t('fileHint')}
        </Text>
      </Paper>
      {isUnreadable && (
        <Alert color="red" variant="outline" role="alert">
          {t('unreadable')}
        </Alert>
      )}
      {chosen && <FilePreview text={chosen.text} />}
    </>
  );
}

function FilePreview({ text }: { text: string }) {
  const t = useText(members);
  const preview = previewOf(text, SHOWN);
  return (
    <>
      {!preview.hasUsers && (
        <Alert color="orange" variant="outline" role="alert">
          {t('noUsersColumn')}
        </Alert>
      )}
      {preview.isGarbled && (
        <Alert color="orange" variant="outline" role="alert">
          {t('garbled')}
        </Alert>
      )}
      {preview.header.length > 0 && (
        <Table.ScrollContainer minWidth={240}>
          <Table captionSide="top" aria-label={t('firstRows')}>
            <Table.Caption>{t('firstRows')}</Table.Caption>
            <Table.Thead>
              <Table.Tr>
                {preview.header.map((name, place) => (
                  <Table.Th key={place}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {preview.rows.map((row, line) => (
                <Table.Tr key={line}>
                  {row.map((cell, place) => (
                    <Table.Td key={place} className="breaks">
                      {cell}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </>
  );
}
