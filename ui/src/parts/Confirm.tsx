import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useText } from '../text';
import { parts } from './messages';
import { ProblemAlert } from './ProblemAlert';

interface ConfirmProps {
  title: string;
  /** What the button says: the act itself, not "OK". */
  act: string;
  /** What has to be typed, for what cannot be undone. */
  word?: string | undefined;
  isDangerous?: boolean;
  isBusy?: boolean;
  isImpossible?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
  /** Who and what is affected. */
  children: ReactNode;
}

/** Asks before an act, and tells what the act will do. Mount it while it is open. */
export function Confirm(props: ConfirmProps) {
  const {
    title,
    act,
    word,
    isDangerous,
    isBusy = false,
    isImpossible,
    error,
    onConfirm,
    onClose,
    children,
  } = props;
  const t = useText(parts);
  const [typed, setTyped] = useState('');
  const isReady = (word === undefined || typed === word) && !isImpossible;
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('close') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !isBusy) onConfirm();
        }}
      >
        <Stack>
          {children}
          {word !== undefined && (
            <TextInput
              label={t('typeToConfirm', { word })}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              spellCheck={false}
              data-autofocus
            />
          )}
          <ProblemAlert error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button
              type="submit"
              disabled={!isReady}
              loading={isBusy}
              {...(isDangerous ? { color: 'red.9' } : {})}
            >
              {act}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
