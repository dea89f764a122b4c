import { Anchor, SimpleGrid, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useFormats } from '../../text/formats';

interface Figure {
  name: string;
  value: number;
  /** Where more of it is told. */
  to?: string;
  search?: Record<string, string>;
}

/** Counts side by side, to be seen before all else. */
export function Numbers({ items }: { items: Figure[] }) {
  const formats = useFormats();
  return (
    <SimpleGrid component="dl" cols={{ base: 2, xs: items.length }} m={0}>
      {items.map(({ name, value, to, search }) => (
        <Stack key={name} gap={0}>
          <Text component="dt" size="xs" c="dimmed">
            {to ? (
              <Anchor component={Link} to={to} search={(search ?? {}) as never} size="xs">
                {name}
              </Anchor>
            ) : (
              name
            )}
          </Text>
          <Text component="dd" m={0} size="xl" fw={600} className="number breaks">
            {formats.number(value)}
          </Text>
        </Stack>
      ))}
    </SimpleGrid>
  );
}
