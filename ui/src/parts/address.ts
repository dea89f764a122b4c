import { useNavigate, useSearch } from '@tanstack/react-router';

/** What is typed or drawn bit by bit: Back is not to go through each bit. */
const BIT_BY_BIT = new Set([
  'query',
  'user_id',
  'actor',
  'subject',
  'percent',
  'as_of',
  'from',
  'to',
  'month',
]);

/** What a screen keeps in its address, and how to change some of it. `undefined` takes a word out. Back undoes it. */
export function useAddress<T extends object>(): [T, (patch: Partial<T>) => void] {
  const search: object = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (patch: Partial<T>) =>
    void navigate({
      to: '.',
      search: ((before: object) => ({ ...before, ...patch })) as never,
      // It is the same screen: nobody is led away from what they look at.
      resetScroll: false,
      replace: Object.keys(patch).every((word) => BIT_BY_BIT.has(word)),
    });
  return [search as T, change];
}
