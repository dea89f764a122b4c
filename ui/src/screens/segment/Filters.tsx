import { Button, Group } from '@mantine/core';
import { InstantField } from '../../parts/InstantField';
import { MonthField } from '../../parts/MonthField';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import type { Search } from './address';
import { segment as messages } from './messages';
import type { HistoryFilters } from './period';
import { SettledField } from '../../parts/SettledField';

interface FiltersProps {
  filters: HistoryFilters;
  onChange: (patch: Partial<Search>) => void;
  onClear: () => void;
}

export function Filters({ filters, onChange, onClear }: FiltersProps) {
  const t = useText(messages);
  const formats = useFormats();
  const { user_id, month } = filters;
  const hint = (at: string | undefined) => (at ? t('localTime', { utc: formats.utc(at) }) : t('anyTime'));
  return (
    <Group align="flex-start" gap="sm">
      <SettledField
        label={t('user')}
        description={t('userHint')}
        value={user_id ?? ''}
        onSettle={(text) => onChange({ user_id: text || undefined })}
        spellCheck={false}
        data-search
        w={150}
      />
      <MonthField
        label={t('month')}
        description={t('monthHint')}
        month={month}
        onSettle={(month) => onChange({ month, from: undefined, to: undefined })}
        w={220}
      />
      {(['from', 'to'] as const).map((end) => (
        <InstantField
          key={end}
          label={t(end)}
          hint={hint}
          at={filters[end]}
          onSettle={(at) => onChange({ [end]: at, month: undefined })}
          w={200}
        />
      ))}
      {Object.keys(filters).length > 0 && (
        <Button variant="subtle" mt={{ base: 0, sm: 42 }} px="xs" onClick={onClear}>
          {t('clearFilters')}
        </Button>
      )}
    </Group>
  );
}
