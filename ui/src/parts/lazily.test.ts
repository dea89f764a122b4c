import { afterEach, expect, test, vi } from 'vitest';
import { reachable } from '../api/client';
import { patiently } from './lazily';

const there = (isOk: boolean) => () =>
  isOk ? Promise.resolve(new Response()) : Promise.reject(new TypeError('away'));

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  reachable.set(true);
});

test('code that did not come while the service was about to go is asked for again', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', vi.fn(there(true)));
  const load = vi.fn().mockRejectedValueOnce(new TypeError('reset')).mockResolvedValue({ default: 'code' });
  const coming = patiently(load);
  await vi.runAllTimersAsync();
  expect(await coming).toEqual({ default: 'code' });
  expect(load).toHaveBeenCalledTimes(2);
});

test('code is waited for while the service is away', async () => {
  vi.stubGlobal('fetch', vi.fn(there(false)));
  const load = vi.fn().mockRejectedValueOnce(new TypeError('refused')).mockResolvedValue({ default: 'code' });
  const coming = patiently(load);
  await vi.waitFor(() => expect(reachable.get()).toBe(false));
  expect(load).toHaveBeenCalledTimes(1);
  reachable.set(true);
  expect(await coming).toEqual({ default: 'code' });
});

test('code that a newer service no longer has is given up', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', vi.fn(there(true)));
  const load = vi.fn().mockRejectedValue(new TypeError('404'));
  const coming = patiently(load).catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  expect(await coming).toBeInstanceOf(TypeError);
  expect(load).toHaveBeenCalledTimes(5);
});
