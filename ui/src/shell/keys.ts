import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { tinykeys } from 'tinykeys';
import { SECTIONS } from './sections';

/** Whether somebody types: then letters are letters. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return (
    target?.matches(
      'input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable=true]',
    ) ?? false
  );
}

interface Keys {
  onHelp: () => void;
  onPalette: () => void;
}

/** The keys that hold everywhere. `/` goes to the field that a screen marks with `data-search`, and else to the palette. */
export function useKeys({ onHelp, onPalette }: Keys): void {
  const navigate = useNavigate();
  useEffect(() => {
    const unlessTyping = (act: () => void) => (event: KeyboardEvent) => {
      if (isTyping(event) || document.querySelector('[role=dialog]')) return;
      event.preventDefault();
      act();
    };
    const goes = SECTIONS.map(
      ({ letter, to }) => [`g ${letter}`, unlessTyping(() => void navigate({ to }))] as const,
    );
    return tinykeys(window, {
      '$mod+k': (event) => {
        event.preventDefault();
        onPalette();
      },
      'Shift+?': unlessTyping(onHelp),
      '/': unlessTyping(() => {
        const field = document.querySelector<HTMLInputElement>('[data-search]');
        if (field) field.focus();
        else onPalette();
      }),
      c: unlessTyping(() => void navigate({ to: '/segments', search: { new: true } as never })),
      ...Object.fromEntries(goes),
    });
  }, [navigate, onHelp, onPalette]);
}
