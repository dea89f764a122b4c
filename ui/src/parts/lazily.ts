import { lazyRouteComponent } from '@tanstack/react-router';
import { lazy, type ComponentType } from 'react';
import { isThere, reachable } from '../api/client';

type Load<T> = () => Promise<{ default: T }>;

/** How often what did not come is asked for anew of a service that is there. */
const AGAIN = 4;

/** Code that comes when it is first wanted. While the service is away it is waited for, and the page stays. */
export async function patiently<T>(load: Load<T>): Promise<{ default: T }> {
  let attempt = load;
  for (let [failures, asked] = [0, 1]; ; asked += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(await isThere())) {
        reachable.set(false);
        await untilReachable();
      } else {
        // It may be about to go, or have come just now; a newer one has other files, which only the whole page anew has.
        failures += 1;
        if (failures > AGAIN) throw error;
        await new Promise((resolve) => setTimeout(resolve, 125 * 2 ** failures));
      }
      attempt = anew(error, asked) ?? load;
    }
  }
}

/** Browsers remember by its address what failed: it is asked for by another one. */
function anew<T>(error: unknown, asked: number): Load<T> | null {
  const address = /https?:\/\/[^\s?]+\/assets\/[\w.-]+\.js/.exec(String(error))?.[0];
  if (!address?.startsWith(`${globalThis.location.origin}/`)) return null;
  return () => import(/* @vite-ignore */ `${address}?again=${asked}`) as Promise<{ default: T }>;
}

function untilReachable(): Promise<void> {
  return new Promise((resolve) => {
    const stop = reachable.follow(() => {
      if (!reachable.get()) return;
      stop();
      resolve();
    });
  });
}

/** A screen: the router asks for the page anew when its file is no longer there. */
export const lazyScreen = (load: Load<ComponentType>) => lazyRouteComponent(() => patiently(load));

/** A part of a screen or of the shell. */
export const lazily = <P>(load: Load<ComponentType<P>>) => lazy(() => patiently(load));
