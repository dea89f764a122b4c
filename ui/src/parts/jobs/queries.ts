import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';

const of = (id: number | string) => ({ params: { path: { id: String(id) } } });

export const jobQuery = (id: number | string) =>
  queryOptions({
    queryKey: ['jobs', 'one', String(id)],
    queryFn: () => ok(api.GET('/api/v1/jobs/{id}', of(id))),
  });

export const cancelJob = (id: number) => ok(api.POST('/api/v1/jobs/{id}/cancel', of(id)));

export const undoJob = (id: number) => ok(api.POST('/api/v1/jobs/{id}/undo', of(id)));
