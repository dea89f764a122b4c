import { Button, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, ok } from '../../api/client';
import { useMay } from '../../api/me';
import { useChange } from '../../parts/changes';
import { Empty } from '../../parts/Empty';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { JobLink } from '../../parts/jobs/JobParts';
import { home } from './messages';

/** How to begin with a store that has neither users nor segments. */
export function EmptyStore() {
  const t = useText(home);
  const may = useMay();
  return (
    <Empty title={t('emptyTitle')} about={t('emptyAbout')}>
      <SimpleGrid cols={{ base: 1, sm: 3 }} mt="md">
        {may('service.operate') && <Demo />}
        {may('segments.manage') && may('persons.read') && (
          <Way title={t('import')} about={t('importAbout')}>
            <Button component={Link} to="/users" search={{ import: true } as never} variant="default">
              {t('importAct')}
            </Button>
          </Way>
        )}
        {may('segments.manage') && (
          <Way title={t('first')} about={t('firstAbout')}>
            <Button component={Link} to="/segments" search={{ new: true } as never} variant="default">
              {t('firstAct')}
            </Button>
          </Way>
        )}
      </SimpleGrid>
    </Empty>
  );
}

function Demo() {
  const t = useText(home);
  const demo = useChange({
    act: () => ok(api.POST('/api/v1/jobs/demo')),
    done: () => t('demoBegun'),
  });
  return (
    <Way title={t('demo')} about={t('demoAbout')}>
      {demo.data ? (
        <JobLink id={demo.data.id} label={t('demoFollow', { id: demo.data.id })} />
      ) : (
        <Button onClick={() => demo.mutate()} loading={demo.isPending}>
          {t('demoAct')}
        </Button>
      )}
      <ProblemAlert error={demo.error} />
    </Way>
  );
}

function Way({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md">
      <Stack gap="xs" h="100%" align="flex-start">
        <Title order={3}>{title}</Title>
        <Text size="sm" c="dimmed" flex={1}>
          {about}
        </Text>
        {children}
      </Stack>
    </Paper>
  );
}
