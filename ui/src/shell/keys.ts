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

/** A letter, and what the same key gives where letters are Russian. */
const LATIN = 'abcdefghijklmnopqrstuvwxyz';
const RUSSIAN = 'фисвуапршолдьтщзйкыегмцчня';
const key = (letter: string) => `(${letter}|${RUSSIAN[LATIN.indexOf(letter)]})`;

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
