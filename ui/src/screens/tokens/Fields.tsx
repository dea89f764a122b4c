import { Checkbox, Radio, Stack, Text, TextInput } from '@mantine/core';
import { faultOf } from '../../api/problem';
import { DeadlineField } from '../../parts/DeadlineField';
import { useText } from '../../text';
import { tokens } from './messages';
import { isPrefix, LIVES, SCOPES, type Draft } from './rights';

interface FieldsProps {
  draft: Draft;
  error: unknown;
  edit: (patch: Partial<Draft>) => void;
}

export function Fields(props: FieldsProps) {
  const { draft, error, edit } = props;
  const t = useText(tokens);
  return (
    <>
      <TextInput
        label={t('name')}
        description={t('nameHint')}
        value={draft.name}
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        onChange={(event) => edit({ name: event.currentTarget.value })}
        error={faultOf(error, 'name')}
      />
      <ScopeFields {...props} />
      <TextInput
        label={t('prefix')}
        description={t('prefixHint')}
        value={draft.prefix}
        maxLength={255}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => edit({ prefix: event.currentTarget.value })}
        error={isPrefix(draft.prefix.trim()) ? faultOf(error, 'segment_prefix') : t('prefixFault')}
      />
      <LifeFields {...props} />
    </>
  );
}

function ScopeFields({ draft, error, edit }: FieldsProps) {
  const t = useText(tokens);
  return (
    <Checkbox.Group
      label={t('scopes')}
      value={draft.scopes}
      onChange={(chosen) => edit({ scopes: SCOPES.filter((scope) => chosen.includes(scope)) })}
      error={faultOf(error, 'scopes')}
    >
      <Stack gap="xs" mt={6}>
        {SCOPES.map((scope) => (
          <Checkbox
            key={scope}
            value={scope}
            label={t(`scope_${scope}`)}
            description={t(`scopeAbout_${scope}`)}
          />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}

function LifeFields({ draft, error, edit }: FieldsProps) {
  const t = useText(tokens);
  return (
    <>
      <Radio.Group
        label={t('lifetime')}
        value={draft.life}
        onChange={(next) => edit({ life: LIVES.find((life) => life === next) ?? draft.life })}
        error={faultOf(error, 'ttl')}
      >
        <Stack gap="xs" mt={6}>
          {LIVES.map((life) => (
            <Radio key={life} value={life} label={t(`life_${life}`)} />
          ))}
        </Stack>
      </Radio.Group>
      {draft.life === 'until' && (
        <DeadlineField
          label={t('until')}
          value={draft.until}
          onChange={(until) => edit({ until })}
          error={faultOf(error, 'expires_at')}
        />
      )}
      {draft.life === 'always' && (
        <Text size="sm" c="dimmed">
          {t('lifeAlways')}
        </Text>
      )}
    </>
  );
}
