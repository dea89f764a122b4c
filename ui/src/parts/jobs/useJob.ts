import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { isLive, type Job } from './job';
import { jobQuery } from './queries';

/** A job as it goes on: told by the service, or asked each second where its stream does not come through. */
export function useJob(id: string) {
  const client = useQueryClient();
  const [isStreamLost, setStreamLost] = useState(false);
  const query = useQuery({
    ...jobQuery(id),
    refetchInterval: ({ state }) => (isStreamLost && state.data && isLive(state.data) ? 1000 : false),
  });
  const isGoing = query.data !== undefined && isLive(query.data);

  useEffect(() => {
    if (!isGoing || isStreamLost) return;
    const source = new EventSource(`/api/v1/jobs/${encodeURIComponent(id)}/events`);
    source.addEventListener('job', (event: MessageEvent<string>) => {
      const job = JSON.parse(event.data) as Job;
      // The browser would begin the ended stream anew.
      if (!isLive(job)) source.close();
      client.setQueryData(jobQuery(id).queryKey, job);
    });
    source.onerror = () => {
      source.close();
      setStreamLost(true);
    };
    return () => source.close();
  }, [client, id, isGoing, isStreamLost]);

  const wasGoing = useRef(false);
  useEffect(() => {
    // Whatever it did is asked anew.
    if (wasGoing.current && !isGoing) void client.invalidateQueries();
    wasGoing.current = isGoing;
  }, [client, isGoing]);

  return { query, isStreamLost };
}
