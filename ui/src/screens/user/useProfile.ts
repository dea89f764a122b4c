import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, tagged, type Schemas } from '../../api/client';
import { isProblem } from '../../api/problem';
import { useChange } from '../../parts/changes';
import { useText } from '../../text';
import { readRows } from '../../parts/attributes/attributes';
import { user } from './messages';
import { draftOf, isUntouched, patchOf, type Draft, type Patch } from './profile';
import { userQuery, type Tagged } from './queries';

/** What was changed, and the version that came between. */
export interface Between {
  patch: Patch;
  theirs: Tagged;
}

function useSave(id: string, onDone: () => void) {
  const t = useText(user);
  const client = useQueryClient();
  const [conflict, setConflict] = useState<Between | null>(null);
  const change = useChange({
    async act({ patch, etag }: { patch: Patch; etag: string }) {
      try {
        return await tagged(
          api.PATCH('/api/v1/users/{user_id}', {
            params: { path: { user_id: id }, header: { 'If-Match': etag } },
            body: patch as Schemas['UserPatch'],
          }),
        );
      } catch (error) {
        if (isProblem(error, 412)) {
          const theirs = await client.fetchQuery({ ...userQuery(id), staleTime: 0 });
          setConflict({ patch, theirs });
        }
        throw error;
      }
    },
    changes: ['users', 'audit'],
    done: () => t('saved', { id }),
    onDone(result) {
      // The next change is one of this version, even if it comes before the user was asked anew.
      client.setQueryData(userQuery(id).queryKey, result);
      setConflict(null);
      onDone();
    },
  });
  return { change, conflict, settle: () => setConflict(null) };
}

/** A profile while it is edited, over the version that it was typed over. */
export function useProfile(loaded: Tagged) {
  const [edit, setEdit] = useState<{ draft: Draft; base: Tagged } | null>(null);
  const base = edit?.base ?? loaded;
  const draft = edit?.draft ?? draftOf(loaded.value);
  const { change, conflict, settle } = useSave(loaded.value.user_id, () => setEdit(null));
  const { faults } = readRows(draft.rows, base.value.attributes);
  return {
    draft,
    faults,
    isEdited: edit !== null,
    isBusy: change.isPending,
    error: isProblem(change.error, 412) ? null : change.error,
    conflict,
    settle,
    type: (patch: Partial<Draft>) => {
      const next = { ...draft, ...patch };
      setEdit(isUntouched(next, base.value) ? null : { draft: next, base });
    },
    save: () => {
      const patch = patchOf(draft, base.value);
      if (edit === null || faults.size > 0 || change.isPending) return;
      // Another way to write the same.
      if (Object.keys(patch).length === 0) setEdit(null);
      else change.mutate({ patch, etag: base.etag });
    },
    saveOverTheirs: () => {
      if (conflict) change.mutate({ patch: conflict.patch, etag: conflict.theirs.etag });
    },
    forget: () => {
      setEdit(null);
      settle();
    },
  };
}
