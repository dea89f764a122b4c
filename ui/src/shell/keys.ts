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

/** What the same key gives where letters are Russian. */
const RUSSIAN: Record<string, string> = {
  ...{ a: 'ф', c: 'с', d: 'в', g: 'п', h: 'р', i: 'ш', j: 'о', k: 'л' },
  ...{ l: 'д', n: 'т', p: 'з', r: 'к', s: 'ы', t: 'е', u: 'г' },
};
const key = (letter: string) => `(${letter}|${RUSSIAN[letter] ?? letter})`;

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
    const search = unlessTyping(() => {
      const field = document.querySelector<HTMLInputElement>('[data-search]');
      if (field) field.focus();
      else onPalette();
    });
    const goes = SECTIONS.map(
      ({ letter, to }) => [`${key('g')} ${key(letter)}`, unlessTyping(() => void navigate({ to }))] as const,
    );
    return tinykeys(window, {
      [`$mod+${key('k')}`]: (event: KeyboardEvent) => {
        event.preventDefault();
        onPalette();
      },
      'Shift+?': unlessTyping(onHelp),
      '/': search,
      // On keyboards where it is above another key.
      'Shift+/': search,
      [key('c')]: unlessTyping(() => void navigate({ to: '/segments', search: { new: true } as never })),
      ...Object.fromEntries(goes),
    });
  }, [navigate, onHelp, onPalette]);
}
