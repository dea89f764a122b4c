import { Checkbox } from '@mantine/core';
import { useText } from '../../text';
import { importing } from './messages';

/** Whether one bad row refuses the whole file. */
export function AtomicField({
  checked,
  onChange,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  const t = useText(importing);
  return (
    <Checkbox
      label={t('atomic')}
      description={t('atomicHint')}
      checked={checked}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
