import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useText } from '../text';
import { parts } from './messages';
import { ProblemAlert } from './ProblemAlert';

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  /** The height of what stands there until the answer comes, so that nothing jumps. */
  height?: number;
  children: (value: T) => ReactNode;
}

/** A skeleton, then what came, or the problem. What came before stays while it is asked anew. */
export function Loaded<T>({ query, height = 120, children }: LoadedProps<T>) {
  const t = useText(parts);
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && !query.isFetching && (
          <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />
        )}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) return <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />;
  return <Skeleton height={height} role="status" aria-label={t('loading')} />;
}
