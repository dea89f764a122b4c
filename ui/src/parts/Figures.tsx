import { SimpleGrid, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface FiguresProps {
  items: { name: string; value: ReactNode }[];
  /** Words rather than numbers: not to be seen first. */
  isText?: boolean;
}

/** A few numbers side by side, each with its name. */
export function Figures({ items, isText = false }: FiguresProps) {
  const looks = isText
    ? { size: 'sm', className: 'breaks' }
    : { fw: 600, fz: { base: 'md', sm: 'lg' }, className: 'number breaks' };
  return (
    <SimpleGrid component="dl" cols={{ base: 2, sm: Math.min(4, items.length) }} m={0}>
      {items.map(({ name, value }) => (
        <Stack key={name} gap={0}>
          <Text component="dt" size="xs" c="dimmed">
            {name}
          </Text>
          <Text component="dd" m={0} {...looks}>
            {value}
          </Text>
        </Stack>
      ))}
    </SimpleGrid>
  );
}
