import { Button, Group } from '@mantine/core';
import { instantOf, localOf } from '../../parts/DeadlineField';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import type { Search } from './address';
import { segment as messages } from './messages';
import { isMonth } from '../../parts/month';
import { isInstant, type HistoryFilters } from './period';
import { SettledField } from '../../parts/SettledField';

interface FiltersProps {
  filters: HistoryFilters;
  onChange: (patch: Partial<Search>) => void;
  onClear: () => void;
}

export function Filters({ filters, onChange, onClear }: FiltersProps) {
  const t = useText(messages);
  const { user_id, month, from, to } = filters;
  return (
    <Group align="flex-start" gap="sm">
      <SettledField
        label={t('user')}
        description={t('userHint')}
        value={user_id ?? ''}
        onSettle={(text) => onChange({ user_id: text.trim() || undefined })}
        spellCheck={false}
        data-search
        w={150}
      />
      <SettledField
        type="month"
        label={t('month')}
        description={t('monthHint')}
        value={month ?? ''}
        isWhole={isMonth}
        onSettle={(text) => onChange({ month: text || undefined, from: undefined, to: undefined })}
        w={220}
      />
      <InstantField label={t('from')} at={from} onSettle={(at) => onChange({ from: at, month: undefined })} />
      <InstantField label={t('to')} at={to} onSettle={(at) => onChange({ to: at, month: undefined })} />
      {Object.keys(filters).length > 0 && (
        <Button variant="subtle" mt={{ base: 0, sm: 42 }} px="xs" onClick={onClear}>
          {t('clearFilters')}
        </Button>
      )}
    </Group>
  );
}

interface InstantFieldProps {
  label: string;
  at: string | undefined;
  onSettle: (at: string | undefined) => void;
}

function InstantField({ label, at, onSettle }: InstantFieldProps) {
  const t = useText(messages);
  const formats = useFormats();
  const known = at !== undefined && isInstant(at) ? at : undefined;
  return (
    <SettledField
      type="datetime-local"
      label={label}
      description={known ? t('localTime', { utc: formats.utc(known) }) : t('anyTime')}
      value={known ? localOf(known) : ''}
      // While a year is typed it passes through the first centuries.
      isWhole={(text) => text >= '1970'}
      onSettle={(text) => onSettle(instantOf(text))}
      w={200}
    />
  );
}
