import { useState } from 'react';
import { api, tagged, type Schemas, type Tagged } from '../../api/client';
import { useVersioned } from '../../parts/useVersioned';
import { useText } from '../../text';
import { readRows } from '../../parts/attributes/attributes';
import { user } from './messages';
import { draftOf, isUntouched, patchOf, type Draft, type Patch } from './profile';
import { userQuery } from './queries';

function useSave(id: string, onDone: () => void) {
  const t = useText(user);
  return useVersioned({
    query: userQuery(id),
    act: (patch: Patch, { etag }) =>
      tagged(
        api.PATCH('/api/v1/users/{user_id}', {
          params: { path: { user_id: id }, header: { 'If-Match': etag } },
          body: patch as Schemas['UserPatch'],
        }),
      ),
    changes: ['users', 'audit'],
    done: () => t('saved', { id }),
    onDone,
  });
}

/** A profile while it is edited, over the version that it was typed over. */
export function useProfile(loaded: Tagged<Schemas['User']>) {
  const [edit, setEdit] = useState<{ draft: Draft; base: Tagged<Schemas['User']> } | null>(null);
  const base = edit?.base ?? loaded;
  const draft = edit?.draft ?? draftOf(loaded.value);
  const { save, isBusy, error, conflict, settle } = useSave(loaded.value.user_id, () => setEdit(null));
  const { faults } = readRows(draft.rows, base.value.attributes);
  return {
    draft,
    faults,
    isEdited: edit !== null,
    isBusy,
    error,
    conflict,
    settle,
    type: (patch: Partial<Draft>) => {
      const next = { ...draft, ...patch };
      setEdit(isUntouched(next, base.value) ? null : { draft: next, base });
    },
    save: () => {
      const patch = patchOf(draft, base.value);
      if (edit === null || faults.size > 0 || isBusy) return;
      // Another way to write the same.
      if (Object.keys(patch).length === 0) setEdit(null);
      else save(patch, base);
    },
    saveOverTheirs: () => {
      if (conflict) save(conflict.values, conflict.theirs);
    },
    forget: () => {
      setEdit(null);
      settle();
    },
  };
}
