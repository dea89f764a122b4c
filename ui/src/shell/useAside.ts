import { useEffect } from 'react';

const OPEN_DIALOG = '[role=dialog][aria-modal=true]';

/**
 * What lies behind an open dialog is out of reach of keys and screen readers too. Dialogs stand beside the page's root, and so do
 * the lists that drop down from their fields. When it closes, the focus goes back to what opened it,
 * or to the title of the screen that the dialog led to.
 */
export function useAside(): void {
  useEffect(() => {
    const root = document.getElementById('root');
    if (!root) return undefined;
    const at = (selector: string) => document.querySelector<HTMLElement>(selector);
    let before: HTMLElement | null = null;
    let openedAt = '';
    const look = () => {
      const isBehind = at(OPEN_DIALOG) !== null;
      if (root.inert === isBehind) return;
      const active = document.activeElement;
      const { pathname } = globalThis.location;
      if (isBehind) {
        before = active instanceof HTMLElement && root.contains(active) ? active : null;
        openedAt = pathname;
      }
      root.inert = isBehind;
      if (isBehind) return;
      const isElsewhere = pathname !== openedAt;
      const back = isElsewhere || !before?.isConnected ? null : before;
      if (isElsewhere || active === null || active === document.body) {
        (back ?? at('#content h1') ?? at('#content'))?.focus({
          preventScroll: true,
        });
      }
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    look();
    return () => {
      observer.disconnect();
      root.inert = false;
    };
  }, []);
}
