import { Alert, Button, FileButton, Group, Paper, Table, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { importing } from './messages';
import { previewOf, type Preview } from './preview';

const SHOWN = 5;

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
  const reset = useRef<() => void>(null);
  const take = (file: File | null | undefined) => {
    // The same file, mended, is a choice as well.
    reset.current?.();
    if (file && !isBusy) onChoose(file);
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
      {chosen && <FilePreview file={chosen} />}
    </>
  );
}

/** Nothing while the file is read. */
function usePreview(file: File): Preview | 'unreadable' | null {
  const [read, setRead] = useState<{ of: File; preview: Preview | 'unreadable' } | null>(null);
  useEffect(() => {
    let isWanted = true;
    const take = (preview: Preview | 'unreadable') => isWanted && setRead({ of: file, preview });
    previewOf(file, SHOWN).then(take, () => take('unreadable'));
    return () => {
      isWanted = false;
    };
  }, [file]);
  return read?.of === file ? read.preview : null;
}

function FilePreview({ file }: { file: File }) {
  const t = useText(importing);
  const preview = usePreview(file);
  if (preview === null) return null;
  if (preview === 'unreadable') {
    return (
      <Alert color="red" variant="outline" role="alert">
        {t('unreadable')}
      </Alert>
    );
  }
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
