import { Button, Group, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok, type Schemas } from '../../api/client';
import { faultOf } from '../../api/problem';
import { useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { segment as messages } from './messages';
import { TOUCHED } from './useVersioned';

function copy(slug: string, copying: Schemas['Copying'], isDry: boolean) {
  const query = isDry ? { dry_run: true } : {};
  return ok(api.POST('/api/v1/segments/{slug}/copy', { params: { path: { slug }, query }, body: copying }));
}

/** Asks first how many come along, and says so before the copy is made. */
export function Copy({ slug }: { slug: string }) {
  const t = useText(messages);
  const [copying, setCopying] = useState({ slug: '', members: true });
  const [count, setCount] = useState<number | null>(null);
  const rehearsal = useChange({
    act: () => copy(slug, copying, true),
    changes: [],
    onDone: (found) => setCount('user_count' in found ? found.user_count : 0),
  });
  return (
    <Panel title={t('copy')}>
      <Text size="sm" c="dimmed">
        {t('copyAbout')}
      </Text>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (copying.slug && !rehearsal.isPending) rehearsal.mutate();
        }}
      >
        <Stack maw={640}>
          <TextInput
            label={t('copySlug')}
            description={t('slugHint')}
            value={copying.slug}
            onChange={(event) => setCopying({ ...copying, slug: event.currentTarget.value.trim() })}
            autoComplete="off"
            spellCheck={false}
            error={faultOf(rehearsal.error, 'slug')}
          />
          <Switch
            label={t('copyMembers')}
            checked={copying.members}
            onChange={(event) => setCopying({ ...copying, members: event.currentTarget.checked })}
          />
          <ProblemAlert error={rehearsal.error} />
          <Group>
            <Button type="submit" variant="default" disabled={!copying.slug} loading={rehearsal.isPending}>
              {t('copyCheck')}
            </Button>
          </Group>
        </Stack>
      </form>
      {count !== null && (
        <ConfirmCopy slug={slug} copying={copying} count={count} onClose={() => setCount(null)} />
      )}
    </Panel>
  );
}

interface ConfirmCopyProps {
  slug: string;
  copying: Schemas['Copying'];
  count: number;
  onClose: () => void;
}

function ConfirmCopy({ slug, copying, count, onClose }: ConfirmCopyProps) {
  const t = useText(messages);
  const formats = useFormats();
  const navigate = useNavigate();
  const change = useChange({
    act: () => copy(slug, copying, false),
    changes: TOUCHED,
    done: () => t('copied', { slug, copy: copying.slug }),
    onDone: () => void navigate({ to: '/segments/$slug', params: { slug: copying.slug } as never }),
  });
  return (
    <Confirm
      title={t('copyConfirm', { slug, copy: copying.slug })}
      act={t('copyAct')}
      isBusy={change.isPending}
      error={change.error}
      onConfirm={change.mutate}
      onClose={onClose}
    >
      <Text size="sm">{t('copyCount', { count, shown: formats.number(count) })}</Text>
    </Confirm>
  );
}
