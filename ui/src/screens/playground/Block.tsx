import { Code, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** Text of a machine, under its name; long text is scrolled, also by keyboard. */
export function Block({ label, text, act }: { label: string; text: string; act?: ReactNode }) {
  return (
    <Stack gap={4}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={600}>
          {label}
        </Text>
        {act}
      </Group>
      <Code
        block
        role="group"
        aria-label={label}
        tabIndex={0}
        mah={360}
        style={{ overflow: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
      >
        {text}
      </Code>
    </Stack>
  );
}
