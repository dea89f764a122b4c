import { useLanguage, type Language } from '.';

/** Numbers and instants as people of the language write them. */
export interface Formats {
  number(value: number): string;
  /** Of 0..100, with at most `digits` decimals. */
  percent(value: number, digits?: number): string;
  /** In local time. */
  instant(iso: string): string;
  /** In UTC, and says so. */
  utc(iso: string): string;
  /** The time of day in UTC alone, where the day stands beside it. */
  utcTime(iso: string): string;
  day(iso: string): string;
  time(iso: string | number): string;
  /** `in 3 days`, `2 hours ago`. */
  distance(iso: string, now?: number): string;
  list(items: string[]): string;
  bytes(value: number): string;
}

const DISTANCES: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** English is written by the browser's own kind of it: where days come before months they do here. */
function localeOf(language: Language): string {
  return navigator.languages.find((tag) => tag.startsWith(`${language}-`)) ?? language;
}

function make(of: Language): Formats {
  const language = localeOf(of);
  const number = new Intl.NumberFormat(language);
  const local = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const utc = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  const utcTime = new Intl.DateTimeFormat(language, { timeStyle: 'short', timeZone: 'UTC' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const time = new Intl.DateTimeFormat(language, { timeStyle: 'medium' });
  // Two days less an hour are no `tomorrow`: only what is now has a word of its own.
  const relative = new Intl.RelativeTimeFormat(language);
  const now = new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(0, 'second');
  const list = new Intl.ListFormat(language);
  return {
    number: (value) => number.format(value),
    percent: (value, digits = 2) =>
      new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: digits }).format(
        value / 100,
      ),
    instant: (iso) => local.format(new Date(iso)),
    utc: (iso) => `${utc.format(new Date(iso))} UTC`,
    utcTime: (iso) => `${utcTime.format(new Date(iso))} UTC`,
    day: (iso) => day.format(new Date(iso)),
    time: (iso) => time.format(new Date(iso)),
    distance(iso, from = Date.now()) {
      const seconds = (new Date(iso).getTime() - from) / 1000;
      const [unit, size] = DISTANCES.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
      const count = Math.trunc(seconds / size);
      return count === 0 ? now : relative.format(count, unit);
    },
    list: (items) => list.format(items),
    bytes(value) {
      const step = value < 1000 ? 0 : value < 1_000_000 ? 1 : 2;
      const unit = (['byte', 'kilobyte', 'megabyte'] as const)[step];
      // “bytes” has no sign of its own, and is written out.
      const unitDisplay = step === 0 ? 'long' : 'short';
      const shown = { style: 'unit', unit, unitDisplay, maximumFractionDigits: step } as const;
      return new Intl.NumberFormat(language, shown).format(value / 1000 ** (step ?? 0));
    },
  };
}

const made: Record<Language, Formats> = { en: make('en'), ru: make('ru') };

export function useFormats(): Formats {
  const [language] = useLanguage();
  return made[language];
}

export function formats(language: Language): Formats {
  return made[language];
}
