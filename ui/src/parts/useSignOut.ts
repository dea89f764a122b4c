import { useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../api/client';
import { leave } from '../api/me';
import { isProblem } from '../api/problem';
import { useChange } from './changes';

/** Ends the session of this browser. */
export function useSignOut() {
  const client = useQueryClient();
  return useChange({
    async act() {
      try {
        await ok(api.DELETE('/api/v1/auth/session'));
      } catch (error) {
        // A session that is over needs no end.
        if (!isProblem(error, 401)) throw error;
      }
    },
    changes: [],
    onDone: () => leave(client),
  });
}
