import { useAddress as useAnyAddress } from '../../parts/address';
import type * as searches from '../../searches';

export type Search = ReturnType<typeof searches.segment>;

/** What the screen keeps in its address; `undefined` takes a word out. */
export const useAddress = useAnyAddress<Search>;
