import type { Tagged, Schemas } from '../../api/client';
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMay } from '../../api/me';
import { faultOf } from '../../api/problem';
import { Panel } from '../../parts/Panel';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { AttributeRows } from '../../parts/attributes/AttributeRows';
import { Conflict } from './Conflict';
import { user } from './messages';
import type { Draft } from './profile';
import { useProfile } from './useProfile';

const FIELDS = ['name', 'email', 'attributes'];

/** Name, e-mail and attributes; another's version is never written over unseen. */
export function Attributes({ loaded }: { loaded: Tagged<Schemas['User']> }) {
  const t = useText(user);
  const may = useMay();
  return (
    <Panel title={t('profile')}>
      {may('persons.read') ? <Form loaded={loaded} /> : <Text size="sm">{t('profileHidden')}</Text>}
    </Panel>
  );
}

function Form({ loaded }: { loaded: Tagged<Schemas['User']> }) {
  const t = useText(user);
  const mayManage = useMay()('segments.manage');
  const profile = useProfile(loaded);
  const { draft, faults, error, conflict } = profile;
  const isUnderFields = FIELDS.some((field) => faultOf(error, field));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        profile.save();
      }}
    >
      <Stack maw={720}>
        <Fields draft={draft} error={error} isReadOnly={!mayManage || profile.isBusy} onType={profile.type} />
        <AttributeRows
          rows={draft.rows}
          faults={faults}
          isReadOnly={!mayManage}
          isLocked={profile.isBusy}
          onChange={(rows) => profile.type({ rows })}
          error={faultOf(error, 'attributes')}
        />
        {!conflict && !isUnderFields && <ProblemAlert error={error} />}
        {mayManage && (
          <Group>
            <Button type="submit" disabled={!profile.isEdited} loading={profile.isBusy}>
              {t('save')}
            </Button>
            {profile.isEdited && (
              <>
                <Button variant="default" onClick={profile.forget} disabled={profile.isBusy}>
                  {t('discard')}
                </Button>
                <Text size="sm" c="dimmed" role="status">
                  {t('unsaved')}
                </Text>
              </>
            )}
          </Group>
        )}
      </Stack>
      {conflict && (
        <Conflict
          conflict={conflict}
          isBusy={profile.isBusy}
          error={error}
          onTheirs={profile.forget}
          onYours={profile.saveOverTheirs}
          onClose={profile.settle}
        />
      )}
    </form>
  );
}

interface FieldsProps {
  draft: Draft;
  error: unknown;
  isReadOnly: boolean;
  onType: (patch: Partial<Draft>) => void;
}

function Fields({ draft, error, isReadOnly, onType }: FieldsProps) {
  const t = useText(user);
  return (
    <>
      <TextInput
        label={t('name')}
        value={draft.name}
        readOnly={isReadOnly}
        autoComplete="off"
        onChange={(event) => onType({ name: event.currentTarget.value })}
        error={faultOf(error, 'name')}
      />
      <TextInput
        label={t('email')}
        inputMode="email"
        value={draft.email}
        readOnly={isReadOnly}
        autoComplete="off"
        onChange={(event) => onType({ email: event.currentTarget.value })}
        error={faultOf(error, 'email')}
      />
    </>
  );
}
