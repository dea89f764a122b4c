import { Alert, Badge, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { home } from './messages';
import { readyQuery, type Summary } from './queries';

const ENGINES: Record<string, string> = { sqlite: 'SQLite', postgres: 'PostgreSQL' };
const INDEX_STATES = ['on', 'loading', 'off'] as const;

export function Health({ service }: { service: Summary['service'] }) {
  const t = useText(home);
  const ready = useQuery(readyQuery);
  const index = INDEX_STATES.find((state) => state === service.index);
  return (
    <Panel title={t('health')} actions={<AsOf at={ready.dataUpdatedAt} />}>
      <SimpleGrid component="dl" cols={{ base: 2, xs: 4 }} m={0}>
        <Fact name={t('status')}>
          <Loaded query={ready} height={22}>
            {(fault) => <Status fault={fault} />}
          </Loaded>
        </Fact>
        <Fact name={t('version')}>{service.version}</Fact>
        <Fact name={t('engine')}>{ENGINES[service.engine] ?? service.engine}</Fact>
        <Fact name={t('index')}>{index ? t(`index_${index}`) : service.index}</Fact>
      </SimpleGrid>
      {ready.data && (
        <Text size="sm" className="breaks">
          {ready.data}
        </Text>
      )}
      {service.open && (
        <Alert role="note" color="orange" variant="outline" title={t('openTitle')}>
          {t('openAbout')}
        </Alert>
      )}
    </Panel>
  );
}

function Status({ fault }: { fault: string | null }) {
  const t = useText(home);
  const isReady = fault === null;
  return (
    <Badge
      color={isReady ? 'teal' : 'red'}
      variant="outline"
      tt="none"
      c="var(--mantine-color-text)"
      leftSection={<span aria-hidden>{isReady ? '✓' : '✕'}</span>}
    >
      {t(isReady ? 'ready' : 'notReady')}
    </Badge>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Stack gap={2}>
      <Text component="dt" size="xs" c="dimmed">
        {name}
      </Text>
      <Text component="dd" m={0} size="sm" className="breaks">
        {children}
      </Text>
    </Stack>
  );
}
