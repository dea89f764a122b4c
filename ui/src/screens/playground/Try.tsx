import { Autocomplete, Badge, Button, Group, Stack, Table, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Panel } from '../../parts/Panel';
import { parts } from '../../parts/messages';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Block } from './Block';
import { playground } from './messages';
import { pathFault, SUGGESTIONS, tryOut, type Tried } from './trying';

function useTry() {
  const sending = useRef<AbortController>(null);
  useEffect(() => () => sending.current?.abort(), []);
  const change = useMutation({
    mutationFn: async (path: string) => {
      sending.current?.abort();
      sending.current = new AbortController();
      const { signal } = sending.current;
      try {
        return await tryOut(path, signal);
      } catch (error) {
        // Stopped by whoever asked: that is no fault.
        if (signal.aborted) return null;
        throw error;
      }
    },
  });
  return { ...change, stop: () => sending.current?.abort() };
}

/** Asks any address that only reads, as the one who is signed in. */
export function Try() {
  const t = useText(playground);
  const words = useText(parts);
  const [path, setPath] = useState('/api/v1/summary');
  const [isTried, setTried] = useState(false);
  const fault = pathFault(path.trim());
  const attempt = useTry();
  return (
    <Panel title={t('try')}>
      <Text size="sm" c="dimmed">
        {t('tryAbout')}
      </Text>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (fault === null && !attempt.isPending) attempt.mutate(path.trim());
        }}
      >
        <Group align="flex-end" gap="sm">
          <Autocomplete
            data-search
            label={t('path')}
            flex="1 1 280px"
            data={SUGGESTIONS}
            limit={12}
            value={path}
            onChange={(next) => {
              setPath(next);
              setTried(false);
            }}
            error={isTried && fault !== null && t(`fault_${fault}`)}
            spellCheck={false}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          />
          <Button type="submit" loading={attempt.isPending}>
            {t('send')}
          </Button>
          {attempt.isPending && (
            <Button variant="default" onClick={attempt.stop}>
              {words('cancel')}
            </Button>
          )}
        </Group>
      </form>
      <ProblemAlert error={attempt.error} />
      {attempt.data && <Outcome tried={attempt.data} />}
    </Panel>
  );
}

function Outcome({ tried }: { tried: Tried }) {
  const t = useText(playground);
  const formats = useFormats();
  const isGood = tried.status < 400;
  return (
    <Stack gap="xs">
      <Group gap="xs" role="status">
        <Badge
          variant="outline"
          color={isGood ? 'teal' : 'red'}
          c="var(--mantine-color-text)"
          leftSection={<span aria-hidden>{isGood ? '✓' : '✕'}</span>}
        >
          {`${tried.status} ${tried.statusText}`}
        </Badge>
        <Text size="sm" c="dimmed">
          {t('ms', { ms: formats.number(tried.ms) })}
        </Text>
      </Group>
      <Table aria-label={t('headers')} verticalSpacing={2} maw={720}>
        <Table.Tbody>
          {tried.headers.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{name}</Table.Th>
              <Table.Td className="breaks">{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {tried.body === null ? (
        <Text size="sm">{t('noText')}</Text>
      ) : (
        <Block label={t('answer')} text={tried.body} />
      )}
      {tried.isCut && <Text size="sm">{t('cut')}</Text>}
    </Stack>
  );
}
