import { Box, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Lines.module.css';

interface Line {
  key: string | number;
  what: ReactNode;
  /** When it was, and by whom. */
  beneath: ReactNode;
}

/** A short list that is as readable on a phone as beside another panel. */
export function Lines({ label, items, empty }: { label: string; items: Line[]; empty: string }) {
  if (items.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {empty}
      </Text>
    );
  }
  return (
    <ul className={classes.list} aria-label={label}>
      {items.map(({ key, what, beneath }) => (
        <li key={key} className={classes.line}>
          <Group gap="0 8px">{what}</Group>
          <Box fz="xs" className="breaks">
            {beneath}
          </Box>
        </li>
      ))}
    </ul>
  );
}
