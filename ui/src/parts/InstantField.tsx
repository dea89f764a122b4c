import type { TextInputProps } from '@mantine/core';
import type { ReactNode } from 'react';
import { instantOf, isInstant, localOf } from './DeadlineField';
import { SettledField } from './SettledField';

interface InstantFieldProps extends Omit<TextInputProps, 'type' | 'value' | 'onChange' | 'description'> {
  /** What stands in the address; what is no instant shows as none. */
  at: string | undefined;
  /** What stands under the label, of an instant and of none. */
  hint?: (at: string | undefined) => ReactNode;
  onSettle: (at: string | undefined) => void;
}

/** An instant that an address keeps, as a local time. */
export function InstantField({ at, hint, onSettle, ...rest }: InstantFieldProps) {
  const known = at !== undefined && isInstant(at) ? at : undefined;
  return (
    <SettledField
      type="datetime-local"
      {...(hint ? { description: hint(known) } : {})}
      value={known ? localOf(known) : ''}
      // While a year is typed it passes through the first centuries.
      isWhole={(text) => text >= '1970'}
      onSettle={(text) => onSettle(instantOf(text))}
      {...rest}
    />
  );
}
