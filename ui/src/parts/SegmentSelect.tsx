import { Group, MultiSelect, Select, Text, type ComboboxItem } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useText } from '../text';
import { useFormats } from '../text/formats';
import { parts } from './messages';
import { segmentChoices } from './queries';

interface Common {
  label: ReactNode;
  placeholder?: string;
  error?: ReactNode;
  w?: number | string;
}

function useChoices(search: string, chosen: string[]) {
  const t = useText(parts);
  const formats = useFormats();
  const [settled] = useDebouncedValue(search, 120);
  const found = useQuery(segmentChoices(chosen.includes(settled) ? '' : settled));
  const counts = new Map(found.data?.items.map((one) => [one.slug, one.user_count]));
  const slugs = [...new Set([...(found.data?.items.map((one) => one.slug) ?? []), ...chosen])];
  const option = ({ option }: { option: ComboboxItem }) => (
    <Group justify="space-between" w="100%" gap="xs" wrap="nowrap">
      <Text size="sm" truncate>
        {option.value}
      </Text>
      <Text size="xs" c="dimmed" className="number">
        {counts.has(option.value) ? formats.number(counts.get(option.value) ?? 0) : ''}
      </Text>
    </Group>
  );
  const none = found.isError ? t('lookupFailed') : t(found.isPending ? 'loading' : 'nothingFound');
  return { slugs, option, none };
}

/** One segment out of any number: the service searches while somebody types. */
export function SegmentSelect(
  props: Common & { value: string | null; onChange: (slug: string | null) => void },
) {
  const t = useText(parts);
  const [search, setSearch] = useState(props.value ?? '');
  const { slugs, option, none } = useChoices(search, props.value ? [props.value] : []);
  return (
    <Select
      label={props.label}
      placeholder={props.placeholder ?? t('searchPlaceholder')}
      error={props.error}
      w={props.w ?? 'auto'}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('clear') }}
      data={slugs}
      filter={({ options }) => options}
      renderOption={option}
      value={props.value}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={props.onChange}
      nothingFoundMessage={none}
    />
  );
}

/** Up to `max` segments. */
export function SegmentsSelect(
  props: Common & { value: string[]; max: number; onChange: (slugs: string[]) => void },
) {
  const t = useText(parts);
  const [search, setSearch] = useState('');
  const { slugs, option, none } = useChoices(search, props.value);
  return (
    <MultiSelect
      label={props.label}
      placeholder={props.value.length === 0 ? (props.placeholder ?? t('searchPlaceholder')) : ''}
      error={props.error}
      w={props.w ?? 'auto'}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('clear') }}
      hidePickedOptions
      maxValues={props.max}
      data={slugs}
      filter={({ options }) => options}
      renderOption={option}
      value={props.value}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={props.onChange}
      nothingFoundMessage={none}
    />
  );
}
