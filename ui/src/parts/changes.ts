import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { useText } from '../text';
import { parts } from './messages';

/** First words of the keys of what a change of memberships shows in: whom a segment has, and all that is counted of them. */
export const MEMBERSHIPS = ['memberships', 'segments', 'users', 'history', 'summary'];

/** Whether a query is about one of these nouns, by the first word of its key. */
export const isAbout =
  (nouns: readonly string[]) =>
  ({ queryKey }: { queryKey: readonly unknown[] }) =>
    nouns.includes(String(queryKey[0]));

interface ChangeOptions<V, T> {
  act: (values: V) => Promise<T>;
  /** First words of the keys of what it changes; everything when absent. */
  changes?: string[];
  /** What is said when it is done. */
  done?: (result: T, values: V) => string;
  onDone?: (result: T, values: V) => void;
}

/** A change by the service: afterwards what it touched is asked anew, and the person is told. */
export function useChange<V = void, T = unknown>(
  options: ChangeOptions<V, T>,
): UseMutationResult<T, unknown, V> {
  const t = useText(parts);
  const client = useQueryClient();
  return useMutation<T, unknown, V>({
    mutationFn: options.act,
    onSuccess(result, values) {
      void client.invalidateQueries(options.changes ? { predicate: isAbout(options.changes) } : {});
      const said = options.done?.(result, values);
      if (said)
        notifications.show({
          message: said,
          color: 'teal.9',
          closeButtonProps: { 'aria-label': t('close') },
        });
      options.onDone?.(result, values);
    },
  });
}
