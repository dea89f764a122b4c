const AT_ONCE = 6;

export interface Outcome {
  done: string[];
  failed: string[];
  /** Why the first of them failed. */
  error: unknown;
}

/** Does it for each, some at once; one that fails stops none of the others. */
export async function forEach(ids: string[], act: (id: string) => Promise<unknown>): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [], error: null };
  const waiting = [...ids];
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await act(id);
        outcome.done.push(id);
      } catch (error) {
        outcome.failed.push(id);
        outcome.error ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}
