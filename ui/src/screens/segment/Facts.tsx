import { SimpleGrid, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface FactsProps {
  items: [name: string, value: ReactNode][];
  /** Numbers to be seen first are larger. */
  isLarge?: boolean;
}

export function Facts({ items, isLarge = false }: FactsProps) {
  return (
    <SimpleGrid component="dl" cols={{ base: 2, sm: 4 }} m={0}>
      {items.map(([name, value]) => (
        <Stack key={name} gap={0}>
          <Text component="dt" size="xs" c="dimmed">
            {name}
          </Text>
          <Text
            component="dd"
            m={0}
            size={isLarge ? 'lg' : 'sm'}
            fw={isLarge ? 600 : 400}
            className={isLarge ? 'number breaks' : 'breaks'}
          >
            {value}
          </Text>
        </Stack>
      ))}
    </SimpleGrid>
  );
}
