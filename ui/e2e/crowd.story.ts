import { Api, expect, Service, settled, test } from './story';

/** How a million members are to be lived with. */
test.describe('with a million users', () => {
  let service: Service;
  test.beforeAll(async () => {
    service = await Service.start('crowd');
  });
  test.afterAll(() => service.stop());
  test.beforeEach(async ({ page }) => {
    await Api.signIn(page.request, service.url, 'root');
  });

  test('the members scroll page by page, and few rows are drawn', async ({ page }) => {
    await page.goto(`${service.url}/segments/CROWD?tab=members`);
    await settled(page);
    const table = page.getByRole('table', { name: 'Members of CROWD' });
    await expect(table.getByText('user-0000000', { exact: true })).toBeVisible();
    const seen = new Set<string>();
    for (let turn = 0; turn < 40; turn += 1) {
      await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      const last = table.getByRole('row').last();
      await expect(async () => {
        const text = await last.textContent();
        expect(seen.has(text ?? '')).toBe(false);
        seen.add(text ?? '');
      }).toPass();
      expect(await table.getByRole('row').count()).toBeLessThan(100);
    }
    await expect(page.getByText(/of 1,000,000/)).toBeVisible();
    // Back at the top it is as it was.
    await table.evaluate((element) => element.scrollTo(0, 0));
    await expect(table.getByText('user-0000000', { exact: true })).toBeVisible();
  });

  test('one of a million is found by the beginning of the id', async ({ page }) => {
    await page.goto(`${service.url}/segments/CROWD?tab=members`);
    await page.getByLabel('Find a member').fill('user-0777777');
    await expect(page.getByRole('table', { name: 'Members of CROWD' }).getByRole('row')).toHaveCount(2);
    await expect(page.getByText('user-0777777', { exact: true })).toBeVisible();
    await expect(page).toHaveURL(/query=user-0777777/);
  });
});
