import { Box, Paper, SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { Instant } from '../../parts/Instant';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { user as messages } from './messages';

/** Who it is. */
export function Card({ user }: { user: Schemas['User'] }) {
  const t = useText(messages);
  const may = useMay();
  const formats = useFormats();
  const person = (text: string | null) => (may('persons.read') ? (text ?? t('none')) : t('hidden'));
  return (
    <Paper withBorder p="md">
      <SimpleGrid component="dl" cols={{ base: 2, md: 5 }} m={0}>
        <Fact name={t('name')}>{person(user.name)}</Fact>
        <Fact name={t('email')}>{person(user.email)}</Fact>
        <Fact name={t('created')}>
          <Instant at={user.created_at} />
        </Fact>
        <Fact name={t('updated')}>
          <Instant at={user.updated_at} />
        </Fact>
        <Fact name={t('version')}>{formats.number(user.version)}</Fact>
      </SimpleGrid>
    </Paper>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <Text component="dt" size="xs" c="dimmed">
        {name}
      </Text>
      <Box component="dd" m={0} fz="sm" className="breaks">
        {children}
      </Box>
    </div>
  );
}
