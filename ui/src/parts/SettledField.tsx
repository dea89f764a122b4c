import { TextInput, type TextInputProps } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';

interface SettledFieldProps extends Omit<TextInputProps, 'value' | 'onChange'> {
  /** What stands in the address. */
  value: string;
  /** Whether it is whole; what is not waits. */
  isWhole?: (text: string) => boolean;
  /** Finds while one types. */
  isSearch?: boolean;
  /** Without the blanks at its ends. */
  onSettle: (text: string) => void;
}

/** Tells what was typed when somebody stops, so that each letter asks for nothing. */
export function SettledField({ value, isWhole, isSearch = false, onSettle, ...rest }: SettledFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [told, setTold] = useState(value);
  const [seen, setSeen] = useState(value);
  // Changed from elsewhere: what was typed is over.
  if (seen !== value) {
    setSeen(value);
    if (value !== told) setDraft(null);
  }
  const settle = useDebouncedCallback(
    (typed: string) => {
      const text = typed.trim();
      if (text !== '' && isWhole && !isWhole(text)) return;
      setTold(text);
      onSettle(text);
    },
    { delay: isSearch ? 150 : 400, flushOnUnmount: false },
  );
  return (
    <TextInput
      {...(isSearch ? { 'data-search': true, spellCheck: false } : {})}
      {...rest}
      value={draft ?? value}
      onChange={(event) => {
        const text = event.currentTarget.value;
        setDraft(text);
        settle(text);
      }}
    />
  );
}
