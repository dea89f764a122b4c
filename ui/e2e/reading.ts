import { readFile } from 'node:fs/promises';
import { expect, type Download, type Locator, type Page } from '@playwright/test';

/** As the console writes numbers and shares in English. */
export const number = (value: number) => new Intl.NumberFormat('en').format(value);
export const percent = (value: number, digits = 2) =>
  new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: digits }).format(value / 100);

/** A name that no other story has, nor an earlier run on the same store. */
export const fresh = (name: string) => `${name}-${Date.now().toString(36)}`;

/** A slug of which that is true. */
export const slugOf = (name: string) => fresh(name).replace('-', '_').toUpperCase();

export const hours = (count: number) => new Date(Date.now() + count * 3_600_000);

/** As the browser's field of local times has it, in London. */
export const field = (at: Date) =>
  new Intl.DateTimeFormat('sv', { timeZone: 'Europe/London', dateStyle: 'short', timeStyle: 'short' })
    .format(at)
    .replace(' ', 'T');

const exactly = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The number that stands under a name. */
export function figure(within: Page | Locator, name: string): Locator {
  const term = within.getByRole('term').filter({ hasText: new RegExp(`^${exactly(name)}$`) });
  return term.locator('xpath=following-sibling::dd');
}

/** Chooses a segment as people do: by typing. */
export async function choose(within: Page | Locator, label: string, slug: string): Promise<void> {
  const field = within.getByRole('combobox', { name: label, exact: true });
  await field.fill(slug);
  const page = 'page' in within ? within.page() : within;
  await page.getByRole('option', { name: new RegExp(`^${exactly(slug)}\\b`) }).click();
  await expect(field).toHaveValue(slug);
}

/** The file that an act gives to the browser. */
export async function downloaded(
  page: Page,
  act: () => Promise<void>,
): Promise<{ name: string; bytes: Buffer; text: string }> {
  const [download]: [Download, void] = await Promise.all([page.waitForEvent('download'), act()]);
  const bytes = await readFile(await download.path());
  return { name: download.suggestedFilename(), bytes, text: bytes.toString('utf8').replace(/^\uFEFF/, '') };
}

/** A table's rows below its head, as texts. */
export async function cells(table: Locator): Promise<string[][]> {
  const rows = await table
    .getByRole('row')
    .filter({ has: table.page().getByRole('cell') })
    .all();
  return Promise.all(rows.map((row) => row.getByRole('cell').allInnerTexts()));
}
