import { Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../../api/client';
import { faultOf } from '../../../api/problem';
import { MEMBERSHIPS, useChange } from '../../../parts/changes';
import { parts } from '../../../parts/messages';
import { ProblemAlert } from '../../../parts/ProblemAlert';
import { slugFault } from '../../../parts/segments/slug';
import { useText } from '../../../text';
import { overlap } from './messages';

function useCreate(expr: string) {
  const t = useText(overlap);
  const navigate = useNavigate();
  return useChange({
    act: ({ slug, name }: { slug: string; name: string }) =>
      ok(api.POST('/api/v1/segments', { body: { slug, expr, ...(name ? { name } : {}) } })),
    changes: MEMBERSHIPS,
    done: ({ slug }) => t('saved', { slug }),
    onDone: ({ slug }) => void navigate({ to: '/segments/$slug', params: { slug } }),
  });
}

/** A new segment of those who are in the combination now. */
export function SaveAs({ expr, onClose }: { expr: string; onClose: () => void }) {
  const t = useText(overlap);
  const of = useText(parts);
  const [slug, setSlug] = useState('');
  const [name, setName] = useState('');
  const create = useCreate(expr);
  const faults = { slug: slugFault(create.error), name: faultOf(create.error, 'name') };
  return (
    <Modal opened onClose={onClose} title={t('saveAs')} closeButtonProps={{ 'aria-label': of('close') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate({ slug: slug.trim(), name: name.trim() });
        }}
      >
        <Stack>
          <Text size="sm">{t('saveAsAbout')}</Text>
          <Code block className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
            {expr}
          </Code>
          <TextInput
            label={t('slug')}
            description={t('slugHint')}
            value={slug}
            onChange={(event) => setSlug(event.currentTarget.value)}
            error={faults.slug}
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
            error={faults.name}
          />
          {!faults.slug && !faults.name && <ProblemAlert error={create.error} />}
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
