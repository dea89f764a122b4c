import { Alert, Button, Code, Group, List, Text } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { ProblemError, UnreachableError } from '../api/problem';
import { useText } from '../text';
import { parts } from './messages';
import { Told } from './Told';

/** What went wrong, in the service's own words: reason, fields, and the id of the request to ask about. */
export function ProblemAlert({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const t = useText(parts);
  const clipboard = useClipboard();
  if (!error) return null;
  const retry = onRetry && (
    <Button size="compact-sm" variant="default" onClick={onRetry}>
      {t('retry')}
    </Button>
  );
  if (error instanceof UnreachableError) {
    return (
      <Alert role="alert" color="red" variant="outline" title={t('unreachable')}>
        <Text size="sm">{t('unreachableDetail')}</Text>
        {retry}
      </Alert>
    );
  }
  if (!(error instanceof ProblemError)) {
    return (
      <Alert role="alert" color="red" variant="outline" title={t('unexpected')}>
        <Code block>{error instanceof Error ? error.message : JSON.stringify(error)}</Code>
        {retry}
      </Alert>
    );
  }
  return (
    <Alert role="alert" color="red" variant="outline" title={error.title}>
      {error.detail && error.detail !== error.title && (
        <Text size="sm" className="breaks">
          <Told text={error.detail} />
        </Text>
      )}
      {error.faults.length > 0 && (
        <List size="sm" mt={4}>
          {error.faults.map((fault, place) => (
            <List.Item key={place} className="breaks">
              <Code>{fault.pointer.replace(/^\//, '')}</Code> <Told text={fault.detail} />
            </List.Item>
          ))}
        </List>
      )}
      {error.retrySeconds !== null && <Text size="sm">{t('retryIn', { seconds: error.retrySeconds })}</Text>}
      <Group gap="xs" mt="xs">
        {retry}
        {error.requestId && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            title={t('copyRequestId')}
            onClick={() => clipboard.copy(error.requestId)}
          >
            {clipboard.copied ? t('copied') : t('requestId', { id: error.requestId })}
          </Button>
        )}
      </Group>
    </Alert>
  );
}
