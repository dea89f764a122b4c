import i18next from 'i18next';
import { initReactI18next, useTranslation } from 'react-i18next';

export const LANGUAGES = ['en', 'ru'] as const;
export type Language = (typeof LANGUAGES)[number];

const KEPT = 'strata.language';

type PluralEnding = '_zero' | '_one' | '_two' | '_few' | '_many' | '_other';
type Key<T> = keyof T extends infer K ? (K extends `${infer Base}${PluralEnding}` ? Base : K) : never;

/** The words of one screen, in both languages. What has a plural stands as `key_one`, `key_few`, `key_many`, `key_other`. */
export interface Messages<T extends Record<string, string>> {
  name: string;
  en: T;
  ru: Record<string, string>;
}

/** `t('key')`, or `t('key', { count, … })`; `{{name}}` in a message is filled in. */
export type Text<T> = (key: Key<T> & string, values?: Record<string, string | number>) => string;

function firstLanguage(): Language {
  const kept = localStorage.getItem(KEPT);
  const wanted = kept ?? navigator.languages.find((tag) => /^(en|ru)\b/.test(tag)) ?? 'en';
  return wanted.startsWith('ru') ? 'ru' : 'en';
}

void i18next.use(initReactI18next).init({
  lng: firstLanguage(),
  fallbackLng: 'en',
  resources: {},
  initAsync: false,
  showSupportNotice: false,
  interpolation: { escapeValue: false },
  react: { useSuspense: false },
});

export function define<T extends Record<string, string>>(
  name: string,
  en: T,
  ru: Record<string, string>,
): Messages<T> {
  i18next.addResourceBundle('en', name, en);
  i18next.addResourceBundle('ru', name, ru);
  return { name, en, ru };
}

export function useText<T extends Record<string, string>>(messages: Messages<T>): Text<T> {
  return useTranslation(messages.name).t;
}

/** Outside of components. */
export function text<T extends Record<string, string>>(messages: Messages<T>): Text<T> {
  return i18next.getFixedT(null, messages.name);
}

export function useLanguage(): [Language, (language: Language) => void] {
  const { i18n } = useTranslation();
  const set = (language: Language) => {
    localStorage.setItem(KEPT, language);
    document.documentElement.lang = language;
    void i18n.changeLanguage(language);
  };
  return [i18n.language === 'ru' ? 'ru' : 'en', set];
}

export function language(): Language {
  return i18next.language === 'ru' ? 'ru' : 'en';
}
