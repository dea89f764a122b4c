import { describe, expect, it } from 'vitest';
import type { Messages } from '.';

const modules = import.meta.glob<Record<string, Messages<Record<string, string>>>>('../**/messages.ts', {
  eager: true,
});
const sources = import.meta.glob<string>('../**/*.{ts,tsx}', {
  eager: true,
  query: '?raw',
  import: 'default',
});

const all = Object.entries(modules).flatMap(([path, module]) =>
  Object.values(module).map((messages) => [path, messages] as const),
);
const ENDING = /_(zero|one|two|few|many|other)$/;
const base = (key: string) => key.replace(ENDING, '');
const holes = (text: string) => [...text.matchAll(/{{\s*(\w+)/g)].map((hole) => hole[1]);

describe.each(all)('the words of %s', (path, { en, ru, name }) => {
  it('are there in both languages', () => {
    expect([...new Set(Object.keys(ru).map(base))].sort()).toEqual(
      [...new Set(Object.keys(en).map(base))].sort(),
    );
  });

  it('have every plural of the language', () => {
    for (const [language, words] of [
      ['en', en],
      ['ru', ru],
    ] as const) {
      const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      for (const key of Object.keys(words).filter((key) => ENDING.test(key))) {
        for (const form of forms)
          expect(Object.keys(words), `${language} ${key}`).toContain(`${base(key)}_${form}`);
      }
    }
  });

  it('name the same values', () => {
    for (const [key, words] of Object.entries(ru)) {
      const same = en[key] ?? en[`${base(key)}_other`] ?? '';
      const known = new Set([...holes(same), ...(ENDING.test(key) ? ['count'] : [])]);
      for (const hole of holes(words)) expect(known, `${name}.${key}`).toContain(hole);
      if (!ENDING.test(key)) expect(holes(words).sort(), `${name}.${key}`).toEqual(holes(same).sort());
    }
  });

  it('are not empty, and Russian is not English', () => {
    for (const [key, words] of Object.entries({ ...en, ...ru })) expect(words.trim(), key).not.toBe('');
    for (const [key, words] of Object.entries(ru)) {
      const isWord = /[a-z]{4,}/i.test(words.replace(/{{.*?}}/g, ''));
      if (isWord && en[key] === words) expect(SAME_IN_BOTH, `${name}.${key}: ${words}`).toContain(words);
    }
  });

  it('are all used', () => {
    const folder = path.replace(/messages\.ts$/, '');
    const isShared = folder.startsWith('./') || folder.includes('parts') || folder.includes('shell');
    const used = Object.entries(sources)
      .filter(([file]) => (isShared || file.startsWith(folder)) && !file.endsWith('messages.ts'))
      .map(([, source]) => source)
      .join('\n');
    const prefixes = [...used.matchAll(/`([\w.]+[._])\$\{/g)].map((found) => found[1] ?? '');
    const unused = [...new Set(Object.keys(en).map(base))].filter(
      (key) => !used.includes(`'${key}'`) && !prefixes.some((prefix) => key.startsWith(prefix)),
    );
    expect(unused).toEqual([]);
  });
});

/** Proper names and words of formats. */
const SAME_IN_BOTH = [
  'Slug',
  'Strata',
  'Swagger UI',
  'English',
  'Yandex ID',
  'OpenID Connect',
  'Русский',
  'curl',
];
