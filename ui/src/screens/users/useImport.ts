import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import { isAbout } from '../../parts/changes';
import { isLive } from '../../parts/jobs/job';

const TOUCHED = ['users', 'summary', 'segments', 'memberships', 'history', 'jobs'];

/** A file on its way in, first as a dry run; each is a job of the service, asked for each second. */
export function useImport() {
  const client = useQueryClient();
  const [id, setId] = useState<string | null>(null);
  const sending = useRef<AbortController>(null);
  // A file that is still on its way when somebody leaves is not sent to its end.
  useEffect(() => () => sending.current?.abort(), []);

  const upload = useMutation({
    mutationFn: ({ file, isDry }: { file: File; isDry: boolean }) => {
      sending.current?.abort();
      sending.current = new AbortController();
      setId(null);
      return ok(
        api.POST('/api/v1/users/import', {
          params: { query: isDry ? { dry_run: true } : {} },
          body: file as unknown as string,
          bodySerializer: (body: unknown) => body as File,
          headers: { 'Content-Type': 'text/csv' },
          signal: sending.current.signal,
        }),
      );
    },
    onSuccess(job) {
      client.setQueryData(['jobs', 'one', String(job.id)], job);
      setId(String(job.id));
    },
  });
  const job = useQuery({
    queryKey: ['jobs', 'one', id],
    queryFn: () => ok(api.GET('/api/v1/jobs/{id}', { params: { path: { id: id ?? '' } } })),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data && isLive(state.data) ? 1000 : false),
  });
  const cancel = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id: id ?? '' } } })),
    onSuccess: (job) => client.setQueryData(['jobs', 'one', id], job),
  });

  const current = id === null ? undefined : job.data;
  const isOver = current !== undefined && !isLive(current) && !current.import?.dry_run;
  useEffect(() => {
    if (!isOver) return;
    void client.invalidateQueries({ predicate: isAbout(TOUCHED) });
  }, [client, isOver]);
  return { upload, job: current, jobError: job.error, cancel };
}
