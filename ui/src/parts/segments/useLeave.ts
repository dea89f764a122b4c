import { useQueryClient, type Query } from '@tanstack/react-query';
import { isAbout, MEMBERSHIPS } from '../changes';

/** When a slug is no more: first away from its screen, then what hung on it is forgotten and the rest asked anew. */
export function useLeave(slug: string): (away: Promise<void>) => void {
  const client = useQueryClient();
  const isOfIt = ({ queryKey }: Query) => queryKey[0] === 'segments' && queryKey.includes(slug);
  return (away) =>
    void away.then(() => {
      client.removeQueries({ predicate: isOfIt, type: 'inactive' });
      // A dialog that is still closing shows what is no more: whoever comes next asks for it, not the dialog.
      void client.invalidateQueries({ predicate: isOfIt, refetchType: 'none' });
      return client.invalidateQueries({
        predicate: (query) => isAbout(MEMBERSHIPS)(query) && !isOfIt(query),
      });
    });
}
