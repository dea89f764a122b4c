import { useNavigate, useSearch } from '@tanstack/react-router';

/** What a screen keeps in its address, and how to change some of it. `undefined` takes a word out. */
export function useAddress<T extends object>(): [T, (patch: Partial<T>) => void] {
  const search: object = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (patch: Partial<T>) =>
    void navigate({
      to: '.',
      search: ((before: object) => ({ ...before, ...patch })) as never,
      replace: true,
    });
  return [search as T, change];
}
