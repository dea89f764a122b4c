import { useNavigate, useSearch } from '@tanstack/react-router';
import type * as searches from '../../searches';

export type Search = ReturnType<typeof searches.users>;

/** What the screen keeps in its address; `undefined` takes a word out. */
export function useAddress(): [Search, (patch: Partial<Search>) => void] {
  const search: object = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (patch: Partial<Search>) =>
    void navigate({
      to: '.',
      search: ((before: object) => ({ ...before, ...patch })) as never,
      replace: true,
    });
  return [search, change];
}
