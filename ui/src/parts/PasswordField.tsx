import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import { useText } from '../text';
import { parts } from './messages';

/** A password, which can be looked at. */
export function PasswordField(props: PasswordInputProps) {
  const t = useText(parts);
  return (
    <PasswordInput
      aria-invalid={Boolean(props.error)}
      spellCheck={false}
      visibilityToggleButtonProps={{ 'aria-label': t('showTyped') }}
      {...props}
    />
  );
}
