import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { isProblem } from '../../api/problem';
import { useChange } from '../changes';
import { segmentQuery } from '../queries';

/** A version of the segment, with the tag that a change of it has to name. */
export interface Tagged {
  value: Schemas['Segment'];
  etag: string;
}

interface Options<V> {
  slug: string;
  act: (values: V, on: Tagged) => Promise<Tagged>;
  changes: string[];
  done: (result: Tagged) => string;
  onDone: (result: Tagged) => void;
}

/** A change of the version that somebody saw; when another is there by now, that one is fetched for a choice. */
export function useVersioned<V>(options: Options<V>) {
  const client = useQueryClient();
  const [conflict, setConflict] = useState<{ values: V; theirs: Tagged } | null>(null);
  const change = useChange({
    async act({ values, on }: { values: V; on: Tagged }) {
      try {
        return await options.act(values, on);
      } catch (error) {
        if (isProblem(error, 412)) {
          const theirs = await client.fetchQuery({ ...segmentQuery(options.slug), staleTime: 0 });
          setConflict({ values, theirs });
        }
        throw error;
      }
    },
    changes: options.changes,
    done: options.done,
    onDone(result) {
      // The next change is one of this version, even if it comes before the segment was asked anew.
      client.setQueryData(segmentQuery(result.value.slug).queryKey, result);
      setConflict(null);
      options.onDone(result);
    },
  });
  return {
    save: (values: V, on: Tagged) => change.mutate({ values, on }),
    isBusy: change.isPending,
    error: isProblem(change.error, 412) ? null : change.error,
    conflict,
    settle: () => setConflict(null),
  };
}
