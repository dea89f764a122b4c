import { useQuery, type QueryClient } from '@tanstack/react-query';
import { api, csrf, ok, type Schemas } from './client';
import { isProblem } from './problem';

export type Me = Schemas['Me'];

export const meQuery = {
  queryKey: ['me'],
  async queryFn(): Promise<Me | null> {
    try {
      const me = await ok(api.GET('/api/v1/accounts/me'));
      csrf.set(me.csrf_token ?? '');
      return me;
    } catch (error) {
      // Whose session ends while they work keeps what they see: the dialog over it asks them to sign in.
      if (isProblem(error, 401) && csrf.get() === null) return null;
      throw error;
    }
  },
  staleTime: 60_000,
};

/** What whoever is signed in may do, by the names that the service gives. */
export type Permission =
  | 'segments.read'
  | 'segments.manage'
  | 'memberships.assign'
  | 'data.export'
  | 'persons.read'
  | 'persons.rights'
  | 'accounts.manage'
  | 'tokens.manage'
  | 'audit.read'
  | 'service.operate';

export function useMe(): Me | null {
  return useQuery(meQuery).data ?? null;
}

/** Controls that somebody may not use are not shown. */
export function useMay(): (permission: Permission) => boolean {
  const me = useMe();
  return (permission) => me?.permissions.includes(permission) ?? false;
}

/** After a session was ended by its owner: nothing of theirs stays on the page. */
export function leave(client: QueryClient): void {
  csrf.set(null);
  client.clear();
  globalThis.location.assign('/sign-in');
}
