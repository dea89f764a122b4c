import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** Nothing is here yet: why, and what to do about it. */
export function Empty({
  title,
  about,
  children,
}: {
  title: string;
  about?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <Paper withBorder p="xl">
      <Stack align="center" gap="xs">
        <Title order={2}>{title}</Title>
        {about && (
          <Text c="dimmed" ta="center" maw="60ch">
            {about}
          </Text>
        )}
        {children && <Group justify="center">{children}</Group>}
      </Stack>
    </Paper>
  );
}
