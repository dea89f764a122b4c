import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { useText } from '../text';
import { parts } from './messages';

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
      const keys = options.changes;
      const touched = keys
        ? { predicate: (query: { queryKey: readonly unknown[] }) => keys.includes(String(query.queryKey[0])) }
        : {};
      void client.invalidateQueries(touched);
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
