import { describe, expect, it } from 'vitest';
import { forEach } from './each';

describe('an act for each', () => {
  it('goes on after a failure', async () => {
    const act = (id: string) => (id === '2' ? Promise.reject(new Error('no')) : Promise.resolve());
    const outcome = await forEach(['1', '2', '3'], act);
    expect(outcome.done.sort()).toEqual(['1', '3']);
    expect(outcome.failed).toEqual(['2']);
    expect(outcome.error).toEqual(new Error('no'));
  });
});
