import { Alert, Button, FileButton, Group, Paper, Table, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { importing } from './messages';
import { requireReadable } from './file';
import { isUtf8, previewOf } from './preview';

interface FileFieldProps {
  chosen: File | null;
  /** What it has in it. */
  hint: string;
  isBusy: boolean;
  onChoose: (chosen: File) => void;
}

/** A file by dropping it, or by a button, and its first rows. */
export function FileField({ chosen, hint, isBusy, onChoose }: FileFieldProps) {
  const t = useText(importing);
  const formats = useFormats();
  const [isOver, setOver] = useState(false);
  const [isUnreadable, setUnreadable] = useState(false);
  const reset = useRef<() => void>(null);
  const take = (file: File | null | undefined) => {
    // The same file, mended, is a choice as well.
    reset.current?.();
    if (!file || isBusy) return;
    setUnreadable(false);
    requireReadable(file).then(
      () => onChoose(file),
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
                {chosen ? t('chooseAnother') : t('chooseFile')}
              </Button>
            )}
          </FileButton>
          <Text size="sm" className="breaks" role="status">
            {chosen ? `${chosen.name} · ${formats.bytes(chosen.size)}` : t('dropHere')}
          </Text>
        </Group>
        <Text size="xs" c="dimmed" mt="xs">
          {hint}
        </Text>
      </Paper>
      {isUnreadable && <Unreadable />}
      {chosen && <FilePreview file={chosen} />}
    </>
  );
}

/** A file that is gone, or another one by now. */
export function Unreadable() {
  const t = useText(importing);
  return (
    <Alert color="red" variant="outline" role="alert">
      {t('unreadable')}
    </Alert>
  );
}

/** What is read of a file; nothing before, and of a file that cannot be read. */
function useRead<T>(file: File, read: (file: File) => Promise<T>): T | null {
  const [found, setFound] = useState<{ of: File; value: T } | null>(null);
  useEffect(() => {
    let isWanted = true;
    read(file).then(
      (value) => isWanted && setFound({ of: file, value }),
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [file, read]);
  return found?.of === file ? found.value : null;
}

function FilePreview({ file }: { file: File }) {
  const t = useText(importing);
  const preview = useRead(file, previewOf);
  // All of it is looked through, which may take a while.
  const isSound = useRead(file, isUtf8);
  if (preview === null) return null;
  return (
    <>
      {!preview.hasUsers && (
        <Alert color="orange" variant="outline" role="alert">
          {t('noUsersColumn')}
        </Alert>
      )}
      {isSound === false && (
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
