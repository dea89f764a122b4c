import { SimpleGrid, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** A few numbers side by side, each with its name. */
export function Figures({ items }: { items: { name: string; value: ReactNode }[] }) {
  return (
    <SimpleGrid component="dl" cols={{ base: 2, sm: Math.min(4, items.length) }} m={0}>
      {items.map(({ name, value }) => (
        <Stack key={name} gap={0}>
          <Text component="dt" size="xs" c="dimmed">
            {name}
          </Text>
          <Text component="dd" m={0} fw={600} fz={{ base: 'md', sm: 'lg' }} className="number breaks">
            {value}
          </Text>
        </Stack>
      ))}
    </SimpleGrid>
  );
}
