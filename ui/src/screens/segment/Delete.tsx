import { Button, Group, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok, type Tagged, type Schemas } from '../../api/client';
import { isProblem } from '../../api/problem';
import { useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { segmentQuery } from '../../parts/queries';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { segment as messages } from './messages';
import { useLeave } from '../../parts/segments/useLeave';

export function Delete({ loaded }: { loaded: Tagged<Schemas['Segment']> }) {
  const t = useText(messages);
  const [isAsking, setAsking] = useState(false);
  return (
    <Panel title={t('delete')}>
      <Text size="sm" c="dimmed" maw="70ch">
        {t('deleteAbout')}
      </Text>
      <Group>
        <Button variant="outline" color="red" onClick={() => setAsking(true)}>
          {t('deleteAsk')}
        </Button>
      </Group>
      {isAsking && <ConfirmDelete loaded={loaded} onClose={() => setAsking(false)} />}
    </Panel>
  );
}

function useDelete({ value: { slug }, etag }: Tagged<Schemas['Segment']>) {
  const t = useText(messages);
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = useLeave(slug);
  return useChange({
    async act() {
      const params = { path: { slug }, header: { 'If-Match': etag } };
      try {
        await ok(api.DELETE('/api/v1/segments/{slug}', { params }));
      } catch (error) {
        // What is there now is shown before somebody decides again.
        if (isProblem(error, 412)) await client.invalidateQueries(segmentQuery(slug));
        throw error;
      }
    },
    changes: [],
    done: () => t('deleted', { slug }),
    onDone: () => leave(navigate({ to: '/segments' })),
  });
}

function ConfirmDelete({ loaded, onClose }: { loaded: Tagged<Schemas['Segment']>; onClose: () => void }) {
  const t = useText(messages);
  const formats = useFormats();
  const { slug } = loaded.value;
  const concerned = useQuery({
    queryKey: ['segments', 'rehearsed delete', slug],
    queryFn: () =>
      ok(api.DELETE('/api/v1/segments/{slug}', { params: { path: { slug }, query: { dry_run: true } } })),
    staleTime: 0,
    gcTime: 0,
  });
  const change = useDelete(loaded);
  return (
    <Confirm
      title={t('deleteConfirm', { slug })}
      act={t('deleteAct')}
      word={slug}
      isDangerous
      isBusy={change.isPending}
      isImpossible={!concerned.isSuccess}
      error={change.error}
      onConfirm={change.mutate}
      onClose={onClose}
    >
      <Loaded query={concerned} height={24}>
        {(found) => (
          <Text size="sm" role="status">
            {t('deleteCount', {
              count: found?.user_count ?? 0,
              shown: formats.number(found?.user_count ?? 0),
            })}{' '}
            <AsOf at={concerned.dataUpdatedAt} />
          </Text>
        )}
      </Loaded>
      <Text size="sm">{t('deleteAbout')}</Text>
    </Confirm>
  );
}
