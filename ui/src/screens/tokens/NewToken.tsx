import { Alert, Button, Code, CopyButton, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useChange } from '../../parts/changes';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { SecretField } from '../../parts/SecretField';
import { Fields } from './Fields';
import { tokens } from './messages';
import { bodyOf, draftOf, isReady, usageOf, type Scope, type Token } from './rights';

/** The secret is kept by the dialog alone, and is gone with it. */
interface Made {
  secret: string | null;
  scopes: Scope[];
}

interface NewTokenProps {
  /** The one whose place it takes. */
  before?: Token | undefined;
  onClose: () => void;
}

export function NewToken({ before, onClose }: NewTokenProps) {
  const t = useText(tokens);
  const [made, setMade] = useState<Made | null>(null);
  const first = before ? t('replaceTitle', { name: before.name }) : t('new');
  return (
    <Modal
      opened
      onClose={onClose}
      title={made ? t('madeTitle') : first}
      size="lg"
      closeOnClickOutside={!made}
      closeOnEscape={!made}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      {made ? (
        <Shown made={made} before={before} onClose={onClose} />
      ) : (
        <Form before={before} onMade={setMade} onClose={onClose} />
      )}
    </Modal>
  );
}

function Form({ before, onMade, onClose }: NewTokenProps & { onMade: (made: Made) => void }) {
  const t = useText(tokens);
  const [draft, setDraft] = useState(() => draftOf(before));
  const create = useChange({
    async act() {
      const { token, scopes } = await ok(api.POST('/api/v1/tokens', { body: bodyOf(draft) }));
      onMade({ secret: token ?? null, scopes });
    },
    changes: ['tokens', 'audit'],
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady(draft) && !create.isPending) create.mutate();
      }}
    >
      <Stack>
        {before && <Text size="sm">{t('replaceAbout', { name: before.name })}</Text>}
        <Fields
          draft={draft}
          error={create.error}
          edit={(patch) => setDraft((now) => ({ ...now, ...patch }))}
        />
        <ProblemAlert error={create.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button type="submit" disabled={!isReady(draft)} loading={create.isPending}>
            {t('create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Shown({ made, before, onClose }: NewTokenProps & { made: Made }) {
  const t = useText(tokens);
  return (
    <Stack>
      {made.secret === null ? (
        <Alert color="orange" variant="outline" role="alert">
          {t('tokenUntold')}
        </Alert>
      ) : (
        <>
          <SecretField label={t('token')} value={made.secret} />
          <Text size="sm" fw={600}>
            {t('tokenOnce')}
          </Text>
          <Usage line={usageOf(made, globalThis.location.origin)} />
        </>
      )}
      {before && <Text size="sm">{t('thenRevoke', { name: before.name })}</Text>}
      <Group justify="flex-end">
        <Button onClick={onClose}>{t('close')}</Button>
      </Group>
    </Stack>
  );
}

function Usage({ line }: { line: string }) {
  const t = useText(tokens);
  return (
    <Stack gap="xs" align="flex-start">
      <Text size="sm">{t('usage')}</Text>
      <Code block w="100%" className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
        {line}
      </Code>
      <CopyButton value={line} timeout={3_000}>
        {({ copied, copy }) => (
          <Button size="compact-sm" variant="default" onClick={copy}>
            {copied ? t('copied') : t('copyLine')}
          </Button>
        )}
      </CopyButton>
    </Stack>
  );
}
