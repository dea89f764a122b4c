import { Button, CopyButton, Group, TextInput } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useText } from '../text';
import { parts } from './messages';

/** What is shown once: to copy by the button, or by hand where a browser lets no page copy. */
export function SecretField({ label, value }: { label: string; value: string }) {
  const t = useText(parts);
  const field = useRef<HTMLInputElement>(null);
  // The form that asked for it is gone, and the keyboard with it.
  useEffect(() => field.current?.focus(), []);
  return (
    <Group align="flex-end" gap="xs">
      <TextInput
        ref={field}
        label={label}
        value={value}
        readOnly
        flex={1}
        miw={180}
        spellCheck={false}
        autoComplete="off"
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton value={value} timeout={3_000}>
        {({ copied, copy }) => (
          <Button variant={copied ? 'default' : 'filled'} onClick={copy} aria-live="polite">
            {copied ? t('copied') : t('copy')}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}
