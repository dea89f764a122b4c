import { useEffect } from 'react';

const OPEN_DIALOG = '[role=dialog][aria-modal=true]';

/**
 * What lies behind an open dialog is out of reach of keys and screen readers too. Dialogs stand beside the page's root, and so do
 * the lists that drop down from their fields. When it closes, the focus goes back to what opened it.
 */
export function useAside(): void {
  useEffect(() => {
    const root = document.getElementById('root');
    if (!root) return undefined;
    let before: HTMLElement | null = null;
    const look = () => {
      const isBehind = document.querySelector(OPEN_DIALOG) !== null;
      if (root.inert === isBehind) return;
      const active = document.activeElement;
      if (isBehind) before = active instanceof HTMLElement && root.contains(active) ? active : null;
      root.inert = isBehind;
      // Back to where somebody was, unless the dialog led them elsewhere.
      if (!isBehind && (active === null || active === document.body)) {
        const back = before?.isConnected ? before : document.getElementById('content');
        back?.focus({ preventScroll: true });
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
