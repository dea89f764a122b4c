import type { Schemas } from '../../api/client';
import {
  merged,
  mergePatch,
  readRows,
  rowsOf,
  type AttributeRow,
  type Attributes,
} from '../../parts/attributes/attributes';

type User = Pick<Schemas['User'], 'name' | 'email'> & { attributes: Attributes };

/** What can be edited, as it is typed. */
export interface Draft {
  name: string;
  email: string;
  rows: AttributeRow[];
}

/** Only what somebody changed, so that nothing else is touched, whatever others did meanwhile. */
export interface Patch {
  name?: string | null;
  email?: string | null;
  attributes?: Attributes;
}

export function draftOf(user: User): Draft {
  return { name: user.name ?? '', email: user.email ?? '', rows: rowsOf(user.attributes) };
}

export function patchOf(draft: Draft, before: User): Patch {
  const attributes = mergePatch(before.attributes, readRows(draft.rows, before.attributes).attributes);
  return {
    ...(draft.name === (before.name ?? '') ? {} : { name: draft.name || null }),
    ...(draft.email === (before.email ?? '') ? {} : { email: draft.email || null }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

/** What would come of it. */
export function patched(user: User, patch: Patch): User {
  return {
    name: patch.name === undefined ? user.name : patch.name,
    email: patch.email === undefined ? user.email : patch.email,
    attributes: merged(user.attributes, patch.attributes ?? {}),
  };
}

/** Typed as it stands there: also a row that is not whole yet is a change. */
export function isUntouched(draft: Draft, before: User): boolean {
  const same = draftOf(before);
  const plain = (rows: AttributeRow[]) => JSON.stringify(rows.map(({ key, value }) => [key, value]));
  return draft.name === same.name && draft.email === same.email && plain(draft.rows) === plain(same.rows);
}
