import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useText } from '../../text';
import { MEMBERSHIPS, useChange } from '../changes';
import { follow } from '../jobs/followed';
import { changesOf, type Job } from '../jobs/job';
import { jobQuery } from '../jobs/queries';
import { parts } from '../messages';
import { ProblemAlert } from '../ProblemAlert';
import { requireReadable, UnreadableError } from './file';
import { FileField, Unreadable } from './FileField';
import { ImportJob } from './ImportJob';
import { importing } from './messages';

export interface OptionsProps<O> {
  value: O;
  onChange: (value: O) => void;
  /** Why the file was refused: what of it is about an option stands there. */
  error: unknown;
}

interface Sent<O> {
  file: File;
  options: O;
  isDry: boolean;
  signal: AbortSignal;
}

interface ImportDialogProps<O extends { isAtomic: boolean }> {
  title: string;
  /** What the file has in it. */
  hint: string;
  first: O;
  /** The fields of the options. */
  options: (props: OptionsProps<O>) => ReactNode;
  isDangerous?: (options: O) => boolean;
  send: (sent: Sent<O>) => Promise<Job>;
  onClose: () => void;
}

/** A file, what to do with it, what that would do, and then the import itself. */
export function ImportDialog<O extends { isAtomic: boolean }>(props: ImportDialogProps<O>) {
  const of = useText(parts);
  const [job, setJob] = useState<Job | null>(null);
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  // It may have begun only after the window was closed.
  const take = (begun: Job) => (isShown.current ? setJob(begun) : follow(begun.id));
  return (
    <Modal
      opened
      onClose={props.onClose}
      size="lg"
      title={props.title}
      closeButtonProps={{ 'aria-label': of('close') }}
      closeOnClickOutside={false}
    >
      {job ? (
        <Stack>
          <ImportJob key={job.id} first={job} onUndo={take} />
          <Group justify="flex-end">
            <Button onClick={props.onClose}>{of('close')}</Button>
          </Group>
        </Stack>
      ) : (
        <Prepare {...props} onBegun={take} />
      )}
    </Modal>
  );
}

type PrepareProps<O extends { isAtomic: boolean }> = ImportDialogProps<O> & { onBegun: (job: Job) => void };

function Prepare<O extends { isAtomic: boolean }>(props: PrepareProps<O>) {
  const { hint, first, options: Fields, isDangerous, send, onBegun, onClose } = props;
  const client = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [options, setOptions] = useState(first);
  // What it would do; over with any change of what it was tried with.
  const [trial, setTrial] = useState<Job | null>(null);
  const trying = useRef<AbortController>(null);
  // A file that is tried while somebody leaves is not sent to its end.
  useEffect(() => () => trying.current?.abort(), []);
  const sent = async (chosen: File, isDry: boolean) => {
    await requireReadable(chosen);
    const sending = new AbortController();
    if (isDry) trying.current = sending;
    const job = await send({ file: chosen, options, isDry, signal: sending.signal });
    client.setQueryData(jobQuery(job.id).queryKey, job);
    return job;
  };
  const attempt = useChange({ act: (chosen: File) => sent(chosen, true), changes: [], onDone: setTrial });
  const begin = useChange({
    act: (chosen: File) => sent(chosen, false),
    changes: [...MEMBERSHIPS, 'jobs'],
    onDone: onBegun,
  });
  const isBusy = attempt.isPending || begin.isPending;
  const trouble = attempt.error ?? begin.error;
  const told = useRef<HTMLDivElement>(null);
  // It may stand below what is seen of the dialog.
  useEffect(() => told.current?.scrollIntoView({ block: 'nearest' }), [trouble]);
  const startOver = () => {
    setTrial(null);
    attempt.reset();
    begin.reset();
  };
  const tryOut = () => {
    startOver();
    if (file) attempt.mutate(file);
  };
  const acts = {
    isAtomic: options.isAtomic,
    isDangerous: isDangerous?.(options) ?? false,
    isBusy,
    canTry: file !== null,
    onTry: tryOut,
    onImport: () => file && begin.mutate(file),
    onClose,
  };
  return (
    <Stack>
      <fieldset disabled={isBusy} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack>
          <FileField
            chosen={file}
            hint={hint}
            isBusy={isBusy}
            onChoose={(chosen) => {
              setFile(chosen);
              startOver();
            }}
          />
          <Fields
            value={options}
            onChange={(value) => {
              setOptions(value);
              startOver();
            }}
            error={attempt.error}
          />
        </Stack>
      </fieldset>
      {trouble !== null && (
        <div ref={told}>
          {trouble instanceof UnreadableError ? <Unreadable /> : <ProblemAlert error={trouble} />}
        </div>
      )}
      {trial ? (
        <ImportJob key={trial.id} first={trial}>
          {(job) => <Acts {...acts} trial={job} />}
        </ImportJob>
      ) : (
        <Acts {...acts} trial={null} />
      )}
    </Stack>
  );
}

interface ActsProps {
  trial: Job | null;
  isAtomic: boolean;
  isDangerous: boolean;
  isBusy: boolean;
  canTry: boolean;
  onTry: () => void;
  onImport: () => void;
  onClose: () => void;
}

/** The import itself only after somebody could see what it does. */
function Acts({ trial, isAtomic, isDangerous, isBusy, canTry, onTry, onImport, onClose }: ActsProps) {
  const t = useText(importing);
  const of = useText(parts);
  const isTried = trial?.state === 'done' && !(isAtomic && trial.refused > 0);
  const isIdle = isTried && changesOf(trial) === 0;
  return (
    <Group justify="flex-end">
      {isIdle && (
        <Text size="sm" c="dimmed" role="status">
          {t('nothingToDo')}
        </Text>
      )}
      <Button variant="default" onClick={onClose}>
        {of('cancel')}
      </Button>
      <Button
        disabled={!canTry}
        loading={isBusy && !trial}
        onClick={onTry}
        {...(trial ? { variant: 'default' } : {})}
      >
        {t('tryOut')}
      </Button>
      {trial && (
        <Button
          disabled={!isTried || isIdle}
          loading={isBusy}
          onClick={onImport}
          {...(isDangerous ? { color: 'red.9' } : {})}
        >
          {t('import')}
        </Button>
      )}
    </Group>
  );
}
