import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { api, tagged, type Schemas, type Tagged } from '../../api/client';
import { useMe } from '../../api/me';
import { isProblem } from '../../api/problem';
import { useChange } from '../../parts/changes';
import type { Account } from './roles';

export const accountQuery = (id: string) =>
  queryOptions({
    queryKey: ['accounts', 'one', id],
    queryFn: () => tagged(api.GET('/api/v1/accounts/{id}', { params: { path: { id } } })),
  });

export function useIsOwn(): (account: Pick<Account, 'id'>) => boolean {
  const me = useMe();
  return ({ id }) => me?.account?.id === id;
}

/** After a refusal because of the version, what is there now is asked, and the next attempt means that. */
export function useVersionGuard(id: string) {
  const client = useQueryClient();
  return async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      if (isProblem(error, 412)) await client.refetchQueries({ queryKey: accountQuery(id).queryKey });
      throw error;
    }
  };
}

interface PatchOptions {
  id: string;
  done: (account: Account) => string;
  onDone: () => void;
}

interface Patch {
  patch: Schemas['AccountPatch'];
  etag: string;
}

export function usePatch({ id, done, onDone }: PatchOptions) {
  const client = useQueryClient();
  const guarded = useVersionGuard(id);
  return useChange<Patch, Tagged<Schemas['Account']>>({
    act: ({ patch, etag }) =>
      guarded(() =>
        tagged(
          api.PATCH('/api/v1/accounts/{id}', {
            params: { path: { id }, header: { 'If-Match': etag } },
            body: patch,
          }),
        ),
      ),
    // It may be one's own, whose permissions are other ones now.
    changes: ['accounts', 'audit', 'me'],
    done: ({ value }) => done(value),
    onDone(result) {
      client.setQueryData(accountQuery(id).queryKey, result);
      onDone();
    },
  });
}
