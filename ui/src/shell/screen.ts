import { lazyRouteComponent } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { reachable } from '../api/client';

interface Module {
  default: ComponentType;
}

/** A screen whose code comes when it is first wanted. While the service is away it is waited for, and the page stays. */
export const screen = (load: () => Promise<Module>) =>
  lazyRouteComponent(() =>
    load().catch(async (error: unknown) => {
      const isThere = await fetch('/healthz').then(
        ({ ok }) => ok,
        () => false,
      );
      // A newer service has other files: the router asks for the page anew.
      if (isThere) throw error;
      reachable.set(false);
      await untilReachable();
      return load();
    }),
  );

function untilReachable(): Promise<void> {
  return new Promise((resolve) => {
    const stop = reachable.follow(() => {
      if (!reachable.get()) return;
      stop();
      resolve();
    });
  });
}
