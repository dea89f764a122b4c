import type { Page } from '@playwright/test';
import { expect, isAccessible, PASSWORD, settled, test } from './story';

async function typeIn(page: Page, login: string, password: string): Promise<void> {
  await page.getByLabel('E-mail or name').fill(login);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test.describe('whoever is not signed in', () => {
  // The page asks who they are, and guesses are refused.
  test.use({ expected: /status of 401/ });

  test('is led to the sign-in page, and afterwards to where they wanted to go', async ({ page }) => {
    await page.goto('/segments?query=BOUGHT_2242');
    await expect(page).toHaveURL(/\/sign-in\?next=/);
    await isAccessible(page);
    await typeIn(page, 'anna', 'a wrong password, long enough');
    await expect(page.getByRole('alert')).toBeVisible();
    await expect(page.getByLabel('E-mail or name')).toHaveValue('anna');
    await typeIn(page, 'anna', PASSWORD);
    await expect(page).toHaveURL(/\/segments\?query=BOUGHT_2242$/);
    await expect(page.getByRole('heading', { level: 1, name: 'Segments' })).toBeVisible();
    await page.getByRole('button', { name: 'anna' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await expect(page).toHaveURL(/\/sign-in/);
    await page.goto('/segments');
    await expect(page).toHaveURL(/\/sign-in\?next=/);
  });

  test('is never led to another site', async ({ page, shop }) => {
    for (const next of [
      'https://evil.example/',
      '//evil.example/',
      '/\\evil.example',
      'javascript:alert(1)',
    ]) {
      await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
      await typeIn(page, 'vera', PASSWORD);
      await expect(page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
      expect(page.url()).toBe(`${shop.url}/`);
      await page.context().clearCookies();
    }
  });

  test('is told when a provider did not sign them in', async ({ page }) => {
    await page.goto('/sign-in#problem=unauthenticated');
    await expect(page.getByRole('alert')).toBeVisible();
    await expect(page).toHaveURL(/\/sign-in$/);
    await expect(page.getByLabel('E-mail or name')).toBeVisible();
  });
});

test.describe('a viewer', () => {
  test.use({ expected: /status of 403/ });
  const FORBIDDEN = ['/accounts', '/tokens', '/audit', '/sign-in-settings'];

  test('sees no button that they may not press', async ({ page, as }) => {
    const root = await as('root');
    await root.segment('VIEWED', ['12346', '12347']);
    await as('vera');
    await page.goto('/segments');
    await settled(page);
    const navigation = page.getByRole('navigation', { name: 'Sections' });
    for (const name of ['Accounts', 'API tokens', 'Audit', 'Sign-in']) {
      await expect(navigation.getByRole('link', { name, exact: true })).toHaveCount(0);
    }
    const acts = /^(New segment|Delete|Add a user|Import|Rename|Copy$|Save$|Apply|Remove|New user|Give to)/;
    for (const address of [
      '/segments',
      '/segments/VIEWED',
      '/segments/VIEWED?tab=members',
      '/segments/VIEWED?tab=settings',
      '/users',
      '/users/12346',
    ]) {
      await page.goto(address);
      await settled(page);
      await expect(page.getByRole('button', { name: acts }), address).toHaveCount(0);
    }
  });

  test('is told at an address that is not theirs what they lack', async ({ page, as }) => {
    await as('vera');
    for (const address of FORBIDDEN) {
      await page.goto(address);
      await expect(page.getByRole('alert').first()).toContainText(
        /accounts\.manage|tokens\.manage|audit\.read|service\.operate/,
      );
    }
  });
});

test('an administrator makes an account, whose one-time link signs in once', async ({
  page,
  as,
  browser,
  shop,
}) => {
  const api = await as('root');
  const login = `nina-${Date.now()}@example.com`;
  await page.goto('/accounts?new=true');
  const dialog = page.getByRole('dialog');
  await dialog
    .getByRole('textbox', { name: /name|login/i })
    .first()
    .fill(login);
  await isAccessible(page);
  await dialog.getByRole('button', { name: /create|make/i }).click();
  const made = await dialog.getByRole('textbox', { name: /link/i }).inputValue();
  expect(made).toContain('/sign-in#');
  const { items } = await api.get<{ items: { id: number; login: string }[] }>(
    `/accounts?query=${encodeURIComponent(login)}`,
  );
  expect(items.map((one) => one.login)).toContain(login);
  const other = await (await browser.newContext()).newPage();
  await other.goto(made);
  await expect(other.getByRole('textbox', { name: /new password/i }).first()).toBeVisible();
  expect(other.url()).toBe(`${shop.url}/sign-in`);
  await other.context().close();
});

test('a token is shown once, works, and is over when it is revoked', async ({
  page,
  as,
  playwright,
  shop,
}) => {
  const api = await as('root');
  const name = `story-${Date.now()}`;
  await page.goto('/tokens');
  await settled(page);
  await page.getByRole('button', { name: 'New token' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: /^name/i }).fill(name);
  await dialog.getByRole('checkbox', { name: /read/i }).first().check();
  await dialog.getByRole('button', { name: /create|make/i }).click();
  const secret = await dialog.getByRole('textbox', { name: 'Token', exact: true }).inputValue();
  expect(secret).toMatch(/^strata_/);
  await expect(dialog.getByRole('textbox', { name: 'Token', exact: true })).toBeFocused();
  await isAccessible(page);
  const asToken = await playwright.request.newContext({
    extraHTTPHeaders: { authorization: `Bearer ${secret}` },
  });
  expect((await asToken.get(`${shop.url}/api/v1/segments?limit=1`)).status()).toBe(200);
  const { items } = await api.get<{ items: { name: string }[] }>('/tokens?limit=1000');
  expect(items.map((one) => one.name)).toContain(name);
  await page.goto('/tokens');
  await settled(page);
  await expect(page.getByText(secret)).toHaveCount(0);
  await page.getByRole('button', { name: `Revoke ${name}` }).click();
  const confirm = page.getByRole('dialog', { name: `Revoke ${name}?` });
  await confirm.getByRole('textbox').fill(name);
  await confirm.getByRole('button', { name: /revoke/i }).click();
  await expect(confirm).toHaveCount(0);
  expect((await asToken.get(`${shop.url}/api/v1/segments?limit=1`)).status()).toBe(401);
  await asToken.dispose();
});

test('the language and the colours that somebody chose stay', async ({ page, as }) => {
  await as('root');
  await page.goto('/');
  await settled(page);
  await page.getByRole('button', { name: 'root' }).click();
  await page.getByRole('menuitemradio', { name: 'Русский' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Главная' })).toBeVisible();
  await page.getByRole('button', { name: 'root' }).click();
  await page.getByRole('menuitemradio', { name: 'Тёмная' }).click();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'Главная' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
});
