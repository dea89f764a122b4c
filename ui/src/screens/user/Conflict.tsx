import type { Schemas } from '../../api/client';
import { Conflict as AnyConflict } from '../../parts/Conflict';
import type { Between } from '../../parts/useVersioned';
import { useText } from '../../text';
import { user } from './messages';
import { patched, type Patch } from './profile';

interface ConflictProps {
  conflict: Between<Patch, Schemas['User']>;
  isBusy: boolean;
  error: unknown;
  onTheirs: () => void;
  onYours: () => void;
  onClose: () => void;
}

/** What would come of saving, beside what is there by now. */
export function Conflict({ conflict, onYours, ...rest }: ConflictProps) {
  const t = useText(user);
  const theirs = conflict.theirs.value;
  const yours = patched(theirs, conflict.values);
  const json = (value: unknown) => JSON.stringify(value, null, 2);
  return (
    <AnyConflict
      {...rest}
      title={t('conflict')}
      about={t('conflictAbout', { version: theirs.version })}
      rows={[
        { name: t('name'), mine: yours.name, theirs: theirs.name },
        { name: t('email'), mine: yours.email, theirs: theirs.email },
        { name: t('attributes'), mine: json(yours.attributes), theirs: json(theirs.attributes) },
      ]}
      onMine={onYours}
    />
  );
}
