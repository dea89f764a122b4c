import { Button, CloseButton, Group, Input, Stack, TextInput } from '@mantine/core';
import { useText } from '../../text';
import { withFreshRow, type AttributeFault, type AttributeRow } from './attributes';
import { attributeParts } from './messages';

interface AttributeRowsProps {
  rows: AttributeRow[];
  faults: ReadonlyMap<number, AttributeFault>;
  onChange: (rows: AttributeRow[]) => void;
  isReadOnly?: boolean;
  /** While it is being saved. */
  isLocked?: boolean;
  error?: string | undefined;
}

/** Names and JSON values, a row each. */
export function AttributeRows(props: AttributeRowsProps) {
  const { rows, faults, onChange, isReadOnly = false, isLocked = false, error } = props;
  const t = useText(attributeParts);
  const type = (id: number, patch: Partial<AttributeRow>) =>
    onChange(rows.map((row) => (row.id === id ? { ...row, ...patch } : row)));
  return (
    <Input.Wrapper
      label={t('attributes')}
      labelElement="div"
      {...(isReadOnly ? {} : { description: t('attributesHint') })}
      error={error}
    >
      <Stack gap="xs" mt={6} role="group" aria-label={t('attributes')}>
        {rows.map((row) => (
          <Row
            key={row.id}
            row={row}
            fault={faults.get(row.id)}
            isReadOnly={isReadOnly}
            isLocked={isLocked}
            onType={(patch) => type(row.id, patch)}
            onRemove={() => onChange(rows.filter(({ id }) => id !== row.id))}
          />
        ))}
        {!isReadOnly && (
          <Group>
            <Button
              size="compact-sm"
              variant="default"
              disabled={isLocked}
              onClick={() => onChange(withFreshRow(rows))}
            >
              {t('addAttribute')}
            </Button>
          </Group>
        )}
      </Stack>
    </Input.Wrapper>
  );
}

interface RowProps {
  row: AttributeRow;
  fault: AttributeFault | undefined;
  isReadOnly: boolean;
  isLocked: boolean;
  onType: (patch: Partial<AttributeRow>) => void;
  onRemove: () => void;
}

function Row({ row, fault, isReadOnly, isLocked, onType, onRemove }: RowProps) {
  const t = useText(attributeParts);
  const isOfKey = fault === 'noKey' || fault === 'twice';
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <TextInput
        aria-label={t('attributeKey')}
        placeholder={t('attributeKey')}
        flex={1}
        miw={0}
        value={row.key}
        readOnly={isReadOnly || isLocked}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onType({ key: event.currentTarget.value })}
        error={isOfKey && t(`fault_${fault}`)}
      />
      <TextInput
        aria-label={t('attributeValue')}
        placeholder={t('attributeValue')}
        flex={2}
        miw={0}
        value={row.value}
        readOnly={isReadOnly || isLocked}
        spellCheck={false}
        autoComplete="off"
        ff="monospace"
        onChange={(event) => onType({ value: event.currentTarget.value })}
        error={fault && !isOfKey && t(`fault_${fault}`)}
      />
      {!isReadOnly && (
        <CloseButton
          mt={4}
          disabled={isLocked}
          aria-label={t('removeAttribute', { key: row.key })}
          onClick={onRemove}
        />
      )}
    </Group>
  );
}
