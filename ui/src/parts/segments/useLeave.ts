import { useQueryClient } from '@tanstack/react-query';
import { TOUCHED } from './useVersioned';

/** When a slug is no more: first away from its screen, then what hung on it is forgotten and the rest asked anew. */
export function useLeave(slug: string): (away: Promise<void>) => void {
  const client = useQueryClient();
  return (away) =>
    void away.then(() => {
      client.removeQueries({
        predicate: ({ queryKey }) => queryKey[0] === 'segments' && queryKey.includes(slug),
        type: 'inactive',
      });
      return client.invalidateQueries({
        predicate: ({ queryKey }) => TOUCHED.includes(String(queryKey[0])),
      });
    });
}
