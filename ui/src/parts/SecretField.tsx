import { Button, CopyButton, Group, TextInput } from '@mantine/core';
import { useText } from '../text';
import { parts } from './messages';

/** What is shown once: to copy by the button, or by hand where a browser lets no page copy. */
export function SecretField({ label, value }: { label: string; value: string }) {
  const t = useText(parts);
  return (
    <Group align="flex-end" gap="xs">
      <TextInput
        label={label}
        value={value}
        readOnly
        flex={1}
        miw={180}
        spellCheck={false}
        autoComplete="off"
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        onFocus={(event) => event.currentTarget.select()}
        data-autofocus
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
