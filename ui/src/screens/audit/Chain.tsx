import { Alert, Button, Group, List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Figures } from '../../parts/Figures';
import { audit } from './messages';
import { Hash } from './RowParts';

/** Whether the log is as it was written. The service goes through all of it, so its word is kept for a while. */
export function Chain() {
  const t = useText(audit);
  const verification = useQuery({
    queryKey: ['audit', 'verification'],
    queryFn: () => ok(api.GET('/api/v1/audit/verification')),
    staleTime: 300_000,
  });
  return (
    <Panel
      title={t('chain')}
      actions={
        <>
          <AsOf at={verification.dataUpdatedAt} />
          <Button
            variant="default"
            size="compact-sm"
            loading={verification.isFetching}
            onClick={() => void verification.refetch()}
          >
            {t('verify')}
          </Button>
        </>
      }
    >
      <Loaded query={verification} height={110}>
        {(value) => <State value={value} />}
      </Loaded>
    </Panel>
  );
}

function State({ value }: { value: Schemas['Verification'] }) {
  const t = useText(audit);
  const formats = useFormats();
  return (
    <>
      <Group gap="xs" role="status" aria-label={t('verified')}>
        <Text fw={600}>
          <span aria-hidden>{value.is_sound ? '✓ ' : '✕ '}</span>
          {value.is_sound ? t('sound') : t('broken')}
        </Text>
      </Group>
      {value.flaws.length > 0 && (
        <Alert color="red" variant="outline" title={t('flaws')} role="alert">
          <List size="sm">
            {value.flaws.map((flaw) => (
              <List.Item key={flaw} className="breaks">
                {flaw}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Figures
        items={[
          { name: t('rows'), value: formats.number(value.rows) },
          { name: t('lastRow'), value: value.last_id === null ? t('none') : formats.number(value.last_id) },
          {
            name: t('lastHash'),
            value: value.last_hash === null ? t('none') : <Hash hash={value.last_hash} />,
          },
        ]}
      />
      <Text size="xs" c="dimmed">
        {t('keepHash')}
      </Text>
    </>
  );
}
