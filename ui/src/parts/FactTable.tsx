import { Table } from '@mantine/core';
import type { ReactNode } from 'react';

export type Fact = [name: string, value: ReactNode];

/** All that is known of one thing, line by line. */
export function FactTable({ label, facts }: { label: string; facts: Fact[] }) {
  return (
    <Table verticalSpacing={4} aria-label={label}>
      <Table.Tbody>
        {facts.map(([name, value], place) => (
          <Table.Tr key={place}>
            <Table.Th scope="row" fw={400} c="dimmed">
              {name}
            </Table.Th>
            <Table.Td className="breaks">{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
