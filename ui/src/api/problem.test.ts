import { expect, it } from 'vitest';
import { faultOf, plainly, ProblemError } from './problem';

const errors = [{ pointer: '/user_id', code: 'invalid', detail: '`two words` holds white space' }];
const problem = new ProblemError(new Response(null, { status: 400 }), { errors });

it('tells of a field what the service says of it', () => {
  expect(faultOf(problem, 'user_id')).toBe('“two words” holds white space');
  expect(faultOf(problem, 'name')).toBeUndefined();
  expect(faultOf(new Error('no'), 'user_id')).toBeUndefined();
});

it('puts code between quotation marks where all is plain text', () => {
  expect(plainly('`A` and `B`, but one ` alone')).toBe('“A” and “B”, but one ` alone');
});
