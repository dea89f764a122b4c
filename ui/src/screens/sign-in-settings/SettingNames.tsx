import { Code, Group, Stack, Text } from '@mantine/core';
import { useText } from '../../text';
import { variableOf } from './addresses';
import { signInSettings } from './messages';

/** Where a setting is changed: its key in the file, and the variable that says the same. */
export function SettingNames({ keys = [], flags = [] }: { keys?: string[]; flags?: string[] }) {
  const t = useText(signInSettings);
  return (
    <Stack gap={4}>
      <Text size="xs" c="dimmed">
        {keys.length > 0 ? t('changedBy') : t('changedByFlag')}
      </Text>
      {flags.map((flag) => (
        <Group key={flag} gap="xs">
          <Code>{flag}</Code>
        </Group>
      ))}
      {keys.map((key) => (
        <Group key={key} gap="xs">
          <Code>{key}</Code>
          <Code className="breaks">{variableOf(key)}</Code>
        </Group>
      ))}
    </Stack>
  );
}
