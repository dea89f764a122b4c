import { Stack, Text } from '@mantine/core';
import { useMay } from '../../api/me';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { Copy } from './Copy';
import { Delete } from './Delete';
import { Details } from './Details';
import { Facts } from './Facts';
import { segment as messages } from './messages';
import { Rename } from './Rename';
import type { Tagged } from './useVersioned';

export function Settings({ loaded }: { loaded: Tagged }) {
  const may = useMay();
  if (!may('segments.manage')) return <ReadOnly loaded={loaded} />;
  return (
    <Stack>
      <Details loaded={loaded} />
      <Rename loaded={loaded} />
      <Copy slug={loaded.value.slug} />
      <Delete loaded={loaded} />
    </Stack>
  );
}

function ReadOnly({ loaded: { value } }: { loaded: Tagged }) {
  const t = useText(messages);
  return (
    <Panel title={t('details')}>
      <Text size="sm" c="dimmed">
        {t('readOnly')}
      </Text>
      <Facts
        items={[
          [t('slug'), value.slug],
          [t('name'), value.name],
          [t('description'), value.description || t('nothing')],
          [t('defaultTtl'), value.default_ttl ?? t('nothing')],
        ]}
      />
    </Panel>
  );
}
