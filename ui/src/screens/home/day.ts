/** The instant at which today began where the person is. */
export function midnight(now: Date): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
}

export function isEmptyStore({ users, segments }: { users: number; segments: number }): boolean {
  return users === 0 && segments === 0;
}

/** How long until it is asked anew: what is under way is followed closely. */
export function pace(isGoing: boolean): number {
  return isGoing ? 2_000 : 30_000;
}

/** Which source, and who: one word where they are the same. */
export function doneBy({ source, actor }: { source: string; actor: string }): string {
  return source === actor ? source : `${source} · ${actor}`;
}
