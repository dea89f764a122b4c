import type { Schemas } from '../../api/client';

export type Account = Schemas['Account'];
export type Role = Schemas['Role'];

export const ROLES = ['viewer', 'analyst', 'administrator'] as const satisfies readonly Role[];

export function roleOf(word: string | null | undefined): Role | undefined {
  return ROLES.find((role) => role === word);
}

export function stateOf({ disabled_at }: Pick<Account, 'disabled_at'>): 'active' | 'disabled' {
  return disabled_at === null ? 'active' : 'disabled';
}

export type AccessDraft = Pick<Account, 'role' | 'sees_persons'>;

/** Only what differs, so that what somebody else changed stays. */
export function patchOf(before: AccessDraft, draft: AccessDraft): Partial<AccessDraft> {
  return {
    ...(draft.role === before.role ? {} : { role: draft.role }),
    ...(draft.sees_persons === before.sees_persons ? {} : { sees_persons: draft.sees_persons }),
  };
}

/** Whether the service would take it as a login. */
export function isLogin(text: string): boolean {
  return text.length > 0 && text.length <= 254 && !/[\s\p{Cc}]/u.test(text);
}

/** What a new account asks for; the grant means something for viewers only. */
export function newAccount(login: string, { role, sees_persons }: AccessDraft): Schemas['NewAccount'] {
  return { login, role, ...(role === 'viewer' && sees_persons ? { sees_persons: true } : {}) };
}
