import { Button, Group, Modal, NumberInput, Stack, Textarea, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { faultOf } from '../../api/problem';
import { useChange } from '../../parts/changes';
import { parts } from '../../parts/messages';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { slugFault } from '../../parts/segments/slug';
import { useText } from '../../text';
import { segments } from './messages';

/** Makes a segment, and goes to it. */
export function NewSegment({ onClose }: { onClose: () => void }) {
  const t = useText(segments);
  const of = useText(parts);
  const navigate = useNavigate();
  const [slug, setSlug] = useState('');
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [percent, setPercent] = useState<number | string>('');
  const [ttl, setTtl] = useState('');
  const create = useChange({
    act: () =>
      ok(
        api.POST('/api/v1/segments', {
          body: {
            slug,
            ...(name ? { name } : {}),
            ...(description ? { description } : {}),
            // What is typed with zeros or a point at its end comes as a word.
            ...(percent === '' ? {} : { percent: Number(percent) }),
            ...(ttl ? { default_ttl: ttl } : {}),
          },
        }),
      ),
    changes: ['segments', 'summary', 'history'],
    done: () => t('created', { slug }),
    onDone: () => void navigate({ to: '/segments/$slug', params: { slug } }),
  });
  const fault = (field: string) => faultOf(create.error, field);
  const slugWrong = slugFault(create.error);
  const isUnderFields =
    slugWrong !== undefined || ['name', 'description', 'percent', 'default_ttl'].some(fault);
  return (
    <Modal opened onClose={onClose} title={t('new')} closeButtonProps={{ 'aria-label': of('close') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput
            label={t('slug')}
            description={t('slugHint')}
            value={slug}
            onChange={(event) => setSlug(event.currentTarget.value)}
            error={slugWrong}
            required
            maxLength={255}
            spellCheck={false}
            autoComplete="off"
            data-autofocus
          />
          <TextInput
            label={t('name')}
            description={t('nameHint')}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={fault('name')}
          />
          <Textarea
            label={t('description')}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
            error={fault('description')}
            autosize
            minRows={2}
          />
          <NumberInput
            label={t('share')}
            description={t('shareHint')}
            value={percent}
            onChange={setPercent}
            error={fault('percent')}
            min={0}
            max={100}
            allowNegative={false}
            decimalScale={4}
          />
          <TextInput
            label={t('ttl')}
            description={t('ttlHint')}
            value={ttl}
            onChange={(event) => setTtl(event.currentTarget.value)}
            error={fault('default_ttl')}
          />
          {!isUnderFields && <ProblemAlert error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {of('cancel')}
            </Button>
            <Button type="submit" loading={create.isPending}>
              {t('create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
