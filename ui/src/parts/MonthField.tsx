import type { TextInputProps } from '@mantine/core';
import { isMonth } from './month';
import { SettledField } from './SettledField';

interface MonthFieldProps extends Omit<TextInputProps, 'type' | 'value' | 'onChange'> {
  month: string | undefined;
  onSettle: (month: string | undefined) => void;
}

/** A month that an address keeps, as 2026-11. */
export function MonthField({ month, onSettle, ...rest }: MonthFieldProps) {
  return (
    <SettledField
      type="month"
      value={month ?? ''}
      isWhole={isMonth}
      onSettle={(text) => onSettle(text || undefined)}
      {...rest}
    />
  );
}
