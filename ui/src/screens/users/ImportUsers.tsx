import { Button, FileButton, Group, Modal, Paper, Stack, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import type { Schemas } from '../../api/client';
import { parts } from '../../parts/messages';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { JobCourse, JobOutcome } from './ImportParts';
import { isLive } from '../../parts/jobs/job';
import { changesOf } from './importing';
import { users } from './messages';
import { useImport } from './useImport';

/** A file of users: first what it would do, then the import itself. */
export function ImportUsers({ onClose }: { onClose: () => void }) {
  const t = useText(users);
  const of = useText(parts);
  const [file, setFile] = useState<File | null>(null);
  const { upload, job, jobError, cancel } = useImport();
  const choose = (chosen: File | null) => {
    if (!chosen) return;
    setFile(chosen);
    upload.mutate({ file: chosen, isDry: true });
  };
  const isBusy = upload.isPending || (job !== undefined && isLive(job));
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('importTitle')}
      size="lg"
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': of('close') }}
    >
      <Stack>
        <Text size="sm">{t('importAbout')}</Text>
        <Chooser file={file} isBusy={isBusy} onChoose={choose} />
        {upload.isPending && (
          <Text size="sm" role="status">
            {t('sending')}
          </Text>
        )}
        <ProblemAlert error={upload.error ?? jobError ?? cancel.error} />
        {job && isLive(job) && (
          <JobCourse job={job} isCancelling={cancel.isPending} onCancel={() => cancel.mutate()} />
        )}
        {job && !isLive(job) && <JobOutcome job={job} />}
        <Acts
          job={isBusy ? undefined : job}
          onImport={() => file && upload.mutate({ file, isDry: false })}
          onClose={onClose}
        />
      </Stack>
    </Modal>
  );
}

interface ChooserProps {
  file: File | null;
  isBusy: boolean;
  onChoose: (file: File | null) => void;
}

function Chooser({ file, isBusy, onChoose }: ChooserProps) {
  const t = useText(users);
  const formats = useFormats();
  const [isOver, setOver] = useState(false);
  const reset = useRef<() => void>(null);
  return (
    <Paper
      withBorder
      p="md"
      role="group"
      aria-label={t('importFile')}
      style={{ borderStyle: 'dashed', background: isOver ? 'var(--strata-hover)' : undefined }}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (!isBusy) onChoose(event.dataTransfer.files[0] ?? null);
      }}
    >
      <Group justify="center" gap="xs">
        <Text size="sm" className="breaks">
          {file ? `${file.name} · ${formats.bytes(file.size)}` : t('drop')}
        </Text>
        <FileButton
          onChange={(chosen) => {
            reset.current?.();
            onChoose(chosen);
          }}
          resetRef={reset}
          accept=".csv,text/csv"
          inputProps={{ 'aria-label': t('importFile') }}
        >
          {(props) => (
            <Button {...props} size="compact-sm" variant="default" disabled={isBusy}>
              {file ? t('chooseAnother') : t('choose')}
            </Button>
          )}
        </FileButton>
      </Group>
    </Paper>
  );
}

interface ActsProps {
  job: Schemas['Job'] | undefined;
  onImport: () => void;
  onClose: () => void;
}

function Acts({ job, onImport, onClose }: ActsProps) {
  const t = useText(users);
  const of = useText(parts);
  const formats = useFormats();
  const isRehearsed = job?.import?.dry_run === true && job.state === 'done';
  const changes = job ? changesOf(job) : 0;
  return (
    <Group justify="flex-end">
      {isRehearsed && changes === 0 && (
        <Text size="sm" c="dimmed">
          {t('nothingToDo')}
        </Text>
      )}
      <Button variant="default" onClick={onClose}>
        {of('close')}
      </Button>
      {isRehearsed && changes > 0 && (
        <Button onClick={onImport}>{t('begin', { count: formats.number(changes) })}</Button>
      )}
    </Group>
  );
}
