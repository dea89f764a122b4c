import { Checkbox, Radio, Stack } from '@mantine/core';
import { faultOf } from '../../api/problem';
import { useText } from '../../text';
import { roleOf, ROLES, type AccessDraft } from './roles';
import { accounts } from './messages';

interface AccessFieldsProps {
  draft: AccessDraft;
  error: unknown;
  onChange: (draft: AccessDraft) => void;
}

/** The role, and for viewers what they see of persons. */
export function AccessFields({ draft, error, onChange }: AccessFieldsProps) {
  const t = useText(accounts);
  return (
    <Stack>
      <Radio.Group
        label={t('role')}
        value={draft.role}
        error={faultOf(error, 'role')}
        onChange={(next) => onChange({ ...draft, role: roleOf(next) ?? draft.role })}
      >
        <Stack gap="xs" mt={6}>
          {ROLES.map((role) => (
            <Radio key={role} value={role} label={t(`role_${role}`)} description={t(`roleAbout_${role}`)} />
          ))}
        </Stack>
      </Radio.Group>
      {draft.role === 'viewer' && (
        <Checkbox
          label={t('seesPersons')}
          description={t('seesPersonsHint')}
          checked={draft.sees_persons}
          error={faultOf(error, 'sees_persons')}
          onChange={(event) => onChange({ ...draft, sees_persons: event.currentTarget.checked })}
        />
      )}
    </Stack>
  );
}
