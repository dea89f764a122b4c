import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useText } from '../text';
import { useFormats } from '../text/formats';
import { parts } from './messages';

interface DeadlineFieldProps {
  label?: ReactNode;
  /** As the browser writes local times: `2026-11-27T11:30`; empty is no deadline. */
  value: string;
  onChange: (value: string) => void;
  error?: ReactNode;
}

/** The instant that a local time of the browser means, as the service wants it. */
export function instantOf(local: string): string | undefined {
  const at = new Date(local);
  return local === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export function isInstant(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

/** Back from the service's instant to a local time for the field. */
export function localOf(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** An instant to choose; UTC is told beside it. */
export function DeadlineField({ label, value, onChange, error }: DeadlineFieldProps) {
  const t = useText(parts);
  const formats = useFormats();
  const at = instantOf(value);
  return (
    <TextInput
      type="datetime-local"
      label={label ?? t('deadline')}
      description={at ? t('deadlineHint', { utc: formats.utc(at) }) : t('noDeadline')}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={error}
    />
  );
}
