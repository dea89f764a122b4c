import { useSyncExternalStore } from 'react';

/** A value that components follow and that plain functions may set: what the API does not have, and no more. */
export class Store<T> {
  private followers = new Set<() => void>();

  constructor(private value: T) {}

  get = (): T => this.value;

  set = (value: T): void => {
    if (Object.is(value, this.value)) return;
    this.value = value;
    this.followers.forEach((tell) => tell());
  };

  follow = (tell: () => void): (() => void) => {
    this.followers.add(tell);
    return () => this.followers.delete(tell);
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.follow, store.get);
}
