import { Button, Group, Select } from '@mantine/core';
import { InstantField } from '../../parts/InstantField';
import { MonthField } from '../../parts/MonthField';
import { SettledField } from '../../parts/SettledField';
import { useText } from '../../text';
import { audit } from './messages';
import { ACTIONS, filtersOf, keyOf, type Search } from './rows';

interface FiltersProps {
  search: Search;
  change: (patch: Partial<Search>) => void;
}

export const NONE: Search = {
  actor: undefined,
  action: undefined,
  subject: undefined,
  month: undefined,
  from: undefined,
  to: undefined,
};

/** What the address says, to change; a month and an interval take each other's place. */
export function Filters({ search, change }: FiltersProps) {
  const t = useText(audit);
  return (
    <Group align="flex-end" gap="xs">
      <Word label={t('actor')} value={search.actor} onChange={(actor) => change({ actor })} isSearch />
      <Select
        label={t('action')}
        placeholder={t('anyAction')}
        searchable
        clearable
        w={170}
        data={ACTIONS.map((value) => ({ value, label: t(`action_${keyOf(value)}`) }))}
        value={search.action ?? null}
        onChange={(next) => change({ action: next ?? undefined })}
      />
      <Word
        label={t('subject')}
        placeholder={t('subjectHint')}
        value={search.subject}
        onChange={(subject) => change({ subject })}
      />
      <MonthField
        label={t('month')}
        w={146}
        month={search.month}
        onSettle={(month) => change({ month, from: undefined, to: undefined })}
      />
      {(['from', 'to'] as const).map((end) => (
        <InstantField
          key={end}
          label={t(end)}
          title={t('localTime')}
          w={190}
          at={search[end]}
          onSettle={(at) => change({ [end]: at, month: undefined })}
        />
      ))}
      {Object.keys(filtersOf(search)).length > 0 && (
        <Button variant="default" onClick={() => change(NONE)}>
          {t('clearFilters')}
        </Button>
      )}
    </Group>
  );
}

interface FieldProps {
  label: string;
  placeholder?: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  isSearch?: boolean;
}

function Word({ label, placeholder, value, onChange, isSearch = false }: FieldProps) {
  return (
    <SettledField
      label={label}
      placeholder={placeholder ?? ''}
      w={140}
      value={value ?? ''}
      spellCheck={false}
      {...(isSearch ? { 'data-search': true } : {})}
      onSettle={(text) => onChange(text || undefined)}
    />
  );
}
