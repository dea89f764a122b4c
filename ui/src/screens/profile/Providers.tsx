import { Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, ok, type Schemas } from '../../api/client';
import { useChange } from '../../parts/changes';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { identitiesQuery, providersQuery } from '../../parts/queries';
import { useText } from '../../text';
import { profile } from './messages';

/** By whom one signs in without a password, where the operator has set up somebody. */
export function Providers({ account }: { account: number }) {
  const t = useText(profile);
  const providers = useQuery(providersQuery).data?.items ?? [];
  const identities = useQuery({ ...identitiesQuery(String(account)), enabled: providers.length > 0 });
  if (providers.length === 0) return null;
  return (
    <Panel title={t('providers')}>
      <Text size="sm" c="dimmed" mb="sm">
        {t('providersAbout')}
      </Text>
      <Loaded query={identities} height={40}>
        {({ items }) => (
          <Stack gap="sm">
            {providers.map((one) => (
              <Provider
                key={one.provider}
                provider={one}
                subjects={items
                  .filter(({ provider }) => provider === one.provider)
                  .map(({ subject }) => subject)}
              />
            ))}
          </Stack>
        )}
      </Loaded>
    </Panel>
  );
}

function Provider({ provider, subjects }: { provider: Schemas['Provider']; subjects: string[] }) {
  const t = useText(profile);
  const link = useChange({
    act: () =>
      ok(
        api.POST('/api/v1/auth/providers/{provider}', {
          params: { path: { provider: provider.provider } },
        }),
      ),
    changes: [],
    // From there the browser comes back to the start page.
    onDone: ({ address }) => globalThis.location.assign(address),
  });
  return (
    <div>
      <Group gap="sm">
        <Text size="sm" fw={600}>
          {provider.title}
        </Text>
        <Text size="sm" className="breaks">
          {subjects.length > 0 ? t('linkedAs', { subject: subjects.join(', ') }) : t('notLinked')}
        </Text>
        {subjects.length === 0 && (
          <Button size="compact-sm" variant="default" loading={link.isPending} onClick={() => link.mutate()}>
            {t('linkProvider', { title: provider.title })}
          </Button>
        )}
      </Group>
      <ProblemAlert error={link.error} />
    </div>
  );
}
