import { Badge, Button, Code, Group, Stack, Text } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import type { Schemas } from '../../api/client';
import { Panel } from '../../parts/Panel';
import { parts } from '../../parts/messages';
import { useText } from '../../text';
import { callbackOf, KEYS, NAMES, ofKind, type Kind } from './addresses';
import { signInSettings } from './messages';
import { SettingNames } from './SettingNames';

type Settings = Schemas['SignInSettings'];

/** A kind of provider: who of it vouches for people, or what to do so that one does. */
export function Provider({ kind, settings }: { kind: Kind; settings: Settings }) {
  const t = useText(signInSettings);
  const found = ofKind(settings.providers, kind);
  const badge = (
    <Badge
      color={found.length > 0 ? 'teal' : 'gray'}
      variant="outline"
      c="var(--mantine-color-text)"
      leftSection={<span aria-hidden>{found.length > 0 ? '✓' : '○'}</span>}
    >
      {found.length > 0 ? t('isSetUp') : t('isNotSetUp')}
    </Badge>
  );
  return (
    <Panel title={t(`kind_${kind}`)} actions={badge}>
      {found.map((one) => (
        <Callback key={one.provider} title={one.title} provider={one.provider} settings={settings} />
      ))}
      {found.length === 0 && (
        <>
          <Text size="sm">{t(`setUp_${kind}`)}</Text>
          <Callback provider={NAMES[kind]} settings={settings} />
        </>
      )}
      <SettingNames keys={KEYS[kind]} />
    </Panel>
  );
}

export function OtherProviders({ settings }: { settings: Settings }) {
  return ofKind(settings.providers, null).map((one) => (
    <Panel key={one.provider} title={one.title}>
      <Callback title={one.title} provider={one.provider} settings={settings} />
    </Panel>
  ));
}

interface CallbackProps {
  title?: string;
  provider: string;
  settings: Settings;
}

function Callback({ title, provider, settings }: CallbackProps) {
  const t = useText(signInSettings);
  const words = useText(parts);
  const clipboard = useClipboard();
  const address = callbackOf(settings.public_url, globalThis.location.origin, provider);
  return (
    <Stack gap={4}>
      {title !== undefined && <Text size="sm">{t('button', { title, provider })}</Text>}
      <Text size="sm" c="dimmed">
        {t('callback')}
      </Text>
      <Group gap="xs">
        <Code className="breaks">{address}</Code>
        <Button
          size="compact-sm"
          variant="default"
          aria-label={t('copyCallback', { provider })}
          onClick={() => clipboard.copy(address)}
        >
          {clipboard.copied ? words('copied') : words('copy')}
        </Button>
      </Group>
      {settings.public_url === null && (
        <Text size="xs" c="dimmed">
          {t('callbackGuessed')}
        </Text>
      )}
    </Stack>
  );
}
