import { useQueryClient, type FetchQueryOptions, type QueryKey } from '@tanstack/react-query';
import { useState } from 'react';
import type { Tagged } from '../api/client';
import { isProblem } from '../api/problem';
import { useChange } from './changes';

/** What somebody wanted to save, and the version that came between. */
export interface Between<V, T> {
  values: V;
  theirs: Tagged<T>;
}

interface Options<V, T, K extends QueryKey> {
  /** Asks for the version that is there now. */
  query: FetchQueryOptions<Tagged<T>, Error, Tagged<T>, K>;
  act: (values: V, on: Tagged<T>) => Promise<Tagged<T>>;
  changes: string[];
  done: (result: Tagged<T>) => string;
  /** The key of what was saved, where it may be another one than before. */
  keyOf?: (value: T) => QueryKey;
  onDone: (result: Tagged<T>) => void;
}

/** A change of the version that somebody saw; when another is there by now, that one is fetched for a choice. */
export function useVersioned<V, T, K extends QueryKey>(options: Options<V, T, K>) {
  const client = useQueryClient();
  const [conflict, setConflict] = useState<Between<V, T> | null>(null);
  const change = useChange({
    async act({ values, on }: { values: V; on: Tagged<T> }) {
      try {
        return await options.act(values, on);
      } catch (error) {
        if (isProblem(error, 412)) {
          const theirs = await client.fetchQuery({ ...options.query, staleTime: 0 });
          setConflict({ values, theirs });
        }
        throw error;
      }
    },
    changes: options.changes,
    done: options.done,
    onDone(result) {
      // The next change is one of this version, even if it comes before it was asked anew.
      client.setQueryData(options.keyOf?.(result.value) ?? options.query.queryKey, result);
      setConflict(null);
      options.onDone(result);
    },
  });
  return {
    save: (values: V, on: Tagged<T>) => change.mutate({ values, on }),
    isBusy: change.isPending,
    error: isProblem(change.error, 412) ? null : change.error,
    conflict,
    settle: () => setConflict(null),
  };
}
