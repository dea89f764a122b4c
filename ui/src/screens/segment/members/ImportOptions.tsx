import { Radio, SimpleGrid, Stack, TextInput } from '@mantine/core';
import { faultOf } from '../../../api/problem';
import { DeadlineField } from '../../../parts/DeadlineField';
import { AtomicField } from '../../../parts/importing/AtomicField';
import type { OptionsProps } from '../../../parts/importing/ImportDialog';
import { useText } from '../../../text';
import { MODES, type Options } from './importing';
import { members } from './messages';

export function ImportOptions({ value, onChange, error }: OptionsProps<Options>) {
  const t = useText(members);
  const set = (patch: Partial<Options>) => onChange({ ...value, ...patch });
  const fault = (field: string) => faultOf(error, field);
  return (
    <Stack gap="sm">
      <Radio.Group
        label={t('mode')}
        value={value.mode}
        onChange={(mode) => set({ mode: MODES.find((one) => one === mode) ?? 'add' })}
      >
        <Stack gap={6} mt={4}>
          {MODES.map((mode) => (
            <Radio key={mode} value={mode} label={t(`mode_${mode}`)} description={t(`modeAbout_${mode}`)} />
          ))}
        </Stack>
      </Radio.Group>
      <AtomicField checked={value.isAtomic} onChange={(isAtomic) => set({ isAtomic })} />
      {value.mode !== 'remove' && (
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <TextInput
            label={t('ttl')}
            description={t('ttlHint')}
            value={value.ttl}
            onChange={(event) => set({ ttl: event.currentTarget.value, deadline: '' })}
            error={fault('ttl')}
          />
          <DeadlineField
            value={value.deadline}
            onChange={(deadline) => set({ deadline, ttl: '' })}
            error={fault('expires_at')}
          />
        </SimpleGrid>
      )}
      <TextInput
        label={t('reason')}
        description={t('reasonRows')}
        value={value.reason}
        onChange={(event) => set({ reason: event.currentTarget.value })}
        error={fault('reason')}
      />
    </Stack>
  );
}
