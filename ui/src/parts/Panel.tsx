import { Group, Paper, Stack, Title, type PaperProps } from '@mantine/core';
import { useId, type ReactNode } from 'react';

interface PanelProps extends PaperProps {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A part of a screen with a heading of its own. */
export function Panel({ title, actions, children, ...paper }: PanelProps) {
  const id = useId();
  return (
    <Paper component="section" aria-labelledby={title ? id : undefined} withBorder p="md" {...paper}>
      <Stack gap="sm">
        {(title || actions) && (
          <Group justify="space-between" gap="xs">
            {title && (
              <Title order={2} id={id}>
                {title}
              </Title>
            )}
            {actions && <Group gap="xs">{actions}</Group>}
          </Group>
        )}
        {children}
      </Stack>
    </Paper>
  );
}
