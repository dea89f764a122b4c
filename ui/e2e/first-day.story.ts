import { readFile } from 'node:fs/promises';
import { expect, isAccessible, PASSWORD, Service, test } from './story';

/** The whole way of somebody new, from an empty store. */
test.describe('on the first day', () => {
  test.use({ expected: /status of 401/ });

  test('a link, a segment, a file, a share, a reason, an undo and an export are found without a manual', async ({
    page,
  }) => {
    test.setTimeout(120_000);
    const service = await Service.start('empty');
    try {
      const said = () => service.said.find((line) => line.includes('/sign-in#'))?.trim() ?? '';
      await expect.poll(said).toMatch(/^http/);
      const link = said();
      await page.goto(link);
      await expect(page).toHaveURL(/\/sign-in$/);
      const fresh = page.getByRole('textbox', { name: 'New password' });
      await fresh.fill(PASSWORD);
      await isAccessible(page);
      await page.getByRole('button', { name: 'Set the password' }).click();

      // An empty store says how to begin.
      await expect(page.getByText('Nothing is here yet')).toBeVisible();
      await isAccessible(page);
      await page
        .getByRole('main')
        .getByRole('link', { name: 'New segment' })
        .or(page.getByRole('main').getByRole('button', { name: 'New segment' }))
        .click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Slug').fill('NEWSLETTER');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'NEWSLETTER' })).toBeVisible();

      // An empty segment does, too.
      await page.getByRole('button', { name: 'Import a file' }).click();
      const rows = Array.from({ length: 1_000 }, (_, place) => `u${place + 1}`);
      const csv = ['user_id', ...rows].join('\n');
      await dialog
        .locator('input[type=file]')
        .setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
      await dialog.getByRole('button', { name: 'Try without changes' }).click();
      await expect(dialog.getByText('What the import would do')).toBeInViewport();
      await dialog.getByRole('button', { name: 'Import', exact: true }).click();
      await expect(dialog.getByText('What it did')).toBeVisible();
      await dialog.getByRole('button', { name: 'Close' }).last().click();
      await expect(page.getByText(/of 1,000 rows/)).toBeVisible();

      // Thirty of a hundred get another one.
      await page.goto(`${service.url}/segments?new=true`);
      await dialog.getByLabel('Slug').fill('SPRING');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await page.getByRole('link', { name: 'Distribution' }).click();
      await page.getByRole('combobox', { name: 'Segment' }).fill('SPRING');
      await page.getByRole('option', { name: /SPRING/ }).click();
      await page.getByRole('textbox', { name: 'Share in percent' }).fill('30');
      await expect(page.getByRole('status').filter({ hasText: '300' })).toBeVisible();
      await page.getByRole('button', { name: 'Give to 30%' }).click();
      await expect(page.getByText('SPRING: 300 entered, 0 left')).toBeVisible();

      // Why is somebody in it?
      await page.goto(`${service.url}/segments/SPRING?tab=members`);
      const first = page.getByRole('table', { name: 'Members of SPRING' }).getByRole('link').first();
      await first.click();
      await page
        .getByRole('row', { name: /SPRING/ })
        .getByRole('button', { name: /^Why/ })
        .click();
      await expect(page.getByRole('dialog')).toContainText(/position/i);
      await isAccessible(page);
      await page.keyboard.press('Escape');

      // What the file did is taken back, and what the share did stays.
      await page.getByRole('link', { name: 'Jobs', exact: true }).click();
      await page.getByRole('link', { name: 'Import of memberships' }).first().click();
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByRole('dialog').getByRole('button', { name: /undo/i }).click();
      await page.goto(`${service.url}/segments/NEWSLETTER?tab=members`);
      await expect(page.getByText('No members')).toBeVisible();

      await page.goto(`${service.url}/segments/SPRING?tab=members`);
      await page.getByRole('button', { name: 'Export' }).click();
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: 'CSV' }).click(),
      ]);
      const text = await readFile(await file.path(), 'utf8');
      expect(text.trim().split('\n')).toHaveLength(301);

      // The link was for once.
      await page.context().clearCookies();
      await page.goto(link);
      await expect(page.getByRole('alert')).toBeVisible();
      await page.getByLabel('E-mail or name').fill('administrator');
      await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
    } finally {
      // What is closed asks nobody.
      await page.goto('about:blank');
      await service.stop();
    }
  });
});
