import { lazyRouteComponent } from '@tanstack/react-router';
import { lazy, type ComponentType } from 'react';
import { reachable } from '../api/client';

type Load<T> = () => Promise<{ default: T }>;

/** Code that comes when it is first wanted. While the service is away it is waited for, and the page stays. */
async function patiently<T>(load: Load<T>): Promise<{ default: T }> {
  try {
    return await load();
  } catch (error) {
    const isThere = await fetch('/healthz').then(
      ({ ok }) => ok,
      () => false,
    );
    // A newer service has other files: only the whole page anew has them.
    if (isThere) throw error;
    reachable.set(false);
    await untilReachable();
    return load();
  }
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
