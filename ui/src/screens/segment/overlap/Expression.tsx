import { Button, Group, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState, type RefObject } from 'react';
import { api, ok } from '../../../api/client';
import { useMay } from '../../../api/me';
import { faultOf, plainly, ProblemError } from '../../../api/problem';
import { AsOf } from '../../../parts/Instant';
import { Panel } from '../../../parts/Panel';
import { ProblemAlert } from '../../../parts/ProblemAlert';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { overlap } from './messages';
import { SaveAs } from './SaveAs';

interface ExpressionProps {
  value: string;
  onChange: (text: string) => void;
  field: RefObject<HTMLInputElement | null>;
}

function useCount(expr: string) {
  return useQuery({
    queryKey: ['segments', 'algebra', expr],
    queryFn: () => ok(api.POST('/api/v1/segments/algebra', { body: { expr, return: 'count' } })),
    enabled: expr !== '',
  });
}

/** What is wrong with what was typed is said under the field; whatever else went wrong is no fault of it. */
function wordsOf(error: unknown): string | undefined {
  if (!(error instanceof ProblemError) || ![400, 404, 422].includes(error.status)) return undefined;
  return faultOf(error, 'expr') ?? plainly(error.detail || error.title);
}

export function Expression({ value, onChange, field }: ExpressionProps) {
  const t = useText(overlap);
  const may = useMay();
  const [settled] = useDebouncedValue(value.trim(), 300);
  const [isSaving, setSaving] = useState(false);
  const query = useCount(settled);
  const isSettled = settled === value.trim();
  const words = isSettled ? wordsOf(query.error) : undefined;
  const isCounted = isSettled && query.isSuccess;
  return (
    <Panel title={t('expression')}>
      <TextInput
        ref={field}
        label={t('expressionLabel')}
        description={t('expressionHint')}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={words}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      />
      {isSettled && query.isError && words === undefined && (
        <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />
      )}
      <Group justify="space-between" mih={36}>
        <Text role="status">{isCounted ? <Count answer={query.data} at={query.dataUpdatedAt} /> : null}</Text>
        {may('segments.manage') && (
          <Button variant="default" disabled={!isCounted} onClick={() => setSaving(true)}>
            {t('saveAs')}
          </Button>
        )}
      </Group>
      {isSaving && <SaveAs expr={settled} onClose={() => setSaving(false)} />}
    </Panel>
  );
}

function Count({ answer, at }: { answer: object; at: number }) {
  const t = useText(overlap);
  const formats = useFormats();
  if (!('user_count' in answer) || typeof answer.user_count !== 'number') return null;
  return (
    <>
      <Text span fw={600} className="number">
        {t('expressionCount', { count: answer.user_count, users: formats.number(answer.user_count) })}
      </Text>{' '}
      <AsOf at={at} />
    </>
  );
}
