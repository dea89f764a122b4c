import { Button, Group, Modal, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { Schemas } from '../../../api/client';
import { useChange } from '../../../parts/changes';
import { parts } from '../../../parts/messages';
import { ProblemAlert } from '../../../parts/ProblemAlert';
import { useText } from '../../../text';
import { FileField, type Chosen } from './FileField';
import { FIRST, queryOf, sendFile, type Options, type Query } from './importing';
import { ImportJob } from './ImportJob';
import { ImportOptions } from './ImportOptions';
import { members } from './messages';
import { TOUCHED } from './touched';

interface ImportProps {
  slug: string;
  onClose: () => void;
}

/** A file, what to do with it, what that would do, and then the import itself. */
export function Import({ slug, onClose }: ImportProps) {
  const t = useText(members);
  const of = useText(parts);
  const [job, setJob] = useState<Schemas['Job'] | null>(null);
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t('importTitle', { slug })}
      closeButtonProps={{ 'aria-label': of('close') }}
      closeOnClickOutside={false}
    >
      {job ? (
        <Stack>
          <ImportJob key={job.id} first={job} onUndo={setJob} />
          <Group justify="flex-end">
            <Button onClick={onClose}>{of('close')}</Button>
          </Group>
        </Stack>
      ) : (
        <Prepare slug={slug} onClose={onClose} onBegun={setJob} />
      )}
    </Modal>
  );
}

type PrepareProps = ImportProps & { onBegun: (job: Schemas['Job']) => void };

function Prepare({ slug, onClose, onBegun }: PrepareProps) {
  const client = useQueryClient();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [options, setOptions] = useState<Options>(FIRST);
  // What it would do; over with any change of what it was tried with.
  const [trial, setTrial] = useState<Schemas['Job'] | null>(null);
  const sent = async (query: Query) => {
    const job = await sendFile(slug, chosen?.text ?? '', { ...queryOf(options), ...query });
    client.setQueryData(['jobs', 'one', String(job.id)], job);
    return job;
  };
  const attempt = useChange({ act: () => sent({ dry_run: true }), changes: [], onDone: setTrial });
  const begin = useChange({ act: () => sent({}), changes: TOUCHED, onDone: onBegun });
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
    attempt.mutate();
  };
  const acts = { options, isBusy, canTry: chosen !== null, onTry: tryOut, onImport: begin.mutate, onClose };
  return (
    <Stack>
      <fieldset disabled={isBusy} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack>
          <FileField
            chosen={chosen}
            isBusy={isBusy}
            onChoose={(file) => {
              setChosen(file);
              startOver();
            }}
          />
          <ImportOptions
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
          <ProblemAlert error={trouble} />
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
  options: Options;
  trial: Schemas['Job'] | null;
  isBusy: boolean;
  canTry: boolean;
  onTry: () => void;
  onImport: () => void;
  onClose: () => void;
}

/** The import itself only after somebody could see what it does. */
function Acts({ options, trial, isBusy, canTry, onTry, onImport, onClose }: ActsProps) {
  const t = useText(members);
  const of = useText(parts);
  const isReady = trial?.state === 'done' && !(options.isAtomic && trial.refused > 0);
  return (
    <Group justify="flex-end">
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
          disabled={!isReady}
          loading={isBusy}
          onClick={onImport}
          {...(options.mode === 'add' ? {} : { color: 'red.9' })}
        >
          {t('import')}
        </Button>
      )}
    </Group>
  );
}
