import { Store } from '../../api/store';

/** Jobs that somebody began and looks at no more: they are told of when they end. */
export const followed = new Store<readonly number[]>([]);

export function follow(id: number): void {
  if (!followed.get().includes(id)) followed.set([...followed.get(), id]);
}

export function letGo(id: number): void {
  followed.set(followed.get().filter((one) => one !== id));
}
