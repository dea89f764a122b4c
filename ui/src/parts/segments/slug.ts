import { faultOf, plainly, ProblemError } from '../../api/problem';

/** What is wrong with a slug, to stand under its field: also that another segment has it. */
export function slugFault(error: unknown): string | undefined {
  const isTaken = error instanceof ProblemError && error.code === 'slug_taken';
  return faultOf(error, 'slug') ?? (isTaken ? plainly(error.message) : undefined);
}
