import type { Tagged, Schemas } from '../../api/client';
import { Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMay } from '../../api/me';
import { Panel } from '../../parts/Panel';
import { CopyPanel } from '../../parts/segments/Copy';
import { RenamePanel } from '../../parts/segments/Rename';
import { useText } from '../../text';
import { Delete } from './Delete';
import { Details } from './Details';
import { Figures } from '../../parts/Figures';
import { segment as messages } from './messages';

export function Settings({ loaded }: { loaded: Tagged<Schemas['Segment']> }) {
  const may = useMay();
  const navigate = useNavigate();
  const stay = (slug: string) =>
    navigate({
      to: '/segments/$slug',
      params: { slug } as never,
      search: { tab: 'settings' } as never,
      replace: true,
    });
  if (!may('segments.manage')) return <ReadOnly loaded={loaded} />;
  return (
    <Stack>
      <Details loaded={loaded} />
      <RenamePanel loaded={loaded} away={stay} />
      <CopyPanel slug={loaded.value.slug} />
      <Delete loaded={loaded} />
    </Stack>
  );
}

function ReadOnly({ loaded: { value } }: { loaded: Tagged<Schemas['Segment']> }) {
  const t = useText(messages);
  return (
    <Panel title={t('details')}>
      <Text size="sm" c="dimmed">
        {t('readOnly')}
      </Text>
      <Figures
        isText
        items={[
          { name: t('slug'), value: value.slug },
          { name: t('name'), value: value.name },
          { name: t('description'), value: value.description || t('nothing') },
          { name: t('defaultTtl'), value: value.default_ttl ?? t('nothing') },
        ]}
      />
    </Panel>
  );
}
