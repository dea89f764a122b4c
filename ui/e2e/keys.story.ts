import { expect, test } from './story';

test.beforeEach(({ as }) => as('root'));

test('keys lead to sections, to search, to help and to the palette', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.evaluate(() => {
    const read: string[] = [];
    Object.assign(globalThis, { read });
    document.addEventListener('focusin', ({ target }) => {
      if (target instanceof HTMLHeadingElement) read.push(target.innerText);
    });
  });
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await expect(page).toHaveURL(/\/segments$/);
  // Whoever hears the page is told where they are.
  await expect(page.getByRole('heading', { level: 1, name: 'Segments' })).toBeFocused();
  const read = () => page.evaluate(() => (globalThis as unknown as { read: string[] }).read);
  expect(await read()).toEqual(['Segments']);
  await page.keyboard.press('/');
  await page.keyboard.type('85123');
  await expect(page).toHaveURL(/query=.*85123/);
  await page.keyboard.press('Escape');
  await page.locator('h1').click();
  await page.keyboard.press('Shift+?');
  await expect(page.getByRole('dialog')).toContainText('Ctrl');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog').getByRole('textbox')).toBeFocused();
  await page.keyboard.type('statis');
  await expect(page.getByRole('dialog')).toContainText('Statistics');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/statistics/);
  await expect(page.getByRole('heading', { level: 1, name: 'Statistics' })).toBeFocused();
  await page.goBack();
  await expect(page).toHaveURL(/\/segments\?query=/);
});

test('keys are where they are when letters are Russian', async ({ page }) => {
  const press = (key: string, code: string, held: 'shiftKey' | 'ctrlKey' | null = null) =>
    page.evaluate(
      ([key, code, held]) => {
        const init = { key, code, bubbles: true, ...(held === null ? {} : { [held]: true }) };
        document.body.dispatchEvent(new KeyboardEvent('keydown', init));
      },
      [key, code, held] as const,
    );
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await press('п', 'KeyG');
  await press('ы', 'KeyS');
  await expect(page).toHaveURL(/\/segments$/);
  await expect(page.getByRole('heading', { level: 1, name: 'Segments' })).toBeVisible();
  await press('/', 'Backslash', 'shiftKey');
  await expect(page.getByRole('textbox', { name: 'Search by slug or name' })).toBeFocused();
  await page.locator('h1').click();
  await press('л', 'KeyK', 'ctrlKey');
  await expect(page.getByRole('dialog').getByRole('textbox')).toBeFocused();
});
