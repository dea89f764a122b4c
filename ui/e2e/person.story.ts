import { Provider } from './provider';
import { figure } from './reading';
import { Api, expect, isAccessible, PASSWORD, Service, settled, test } from './story';

test.describe('somebody of one’s own', () => {
  test.use({ expected: /status of 40[01]/ });

  test('changes the password, which ends other sessions, and signs out everywhere', async ({
    page,
    as,
    playwright,
    shop,
  }) => {
    const root = await as('root');
    const login = `olga-${Date.now()}@example.com`;
    const { id } = await root.post<{ id: number }>('/accounts', { login, role: 'analyst' });
    const { link } = await root.post<{ link: string }>(`/accounts/${id}/link`);
    await page.context().clearCookies();
    await page.goto(link);
    await page.getByRole('textbox', { name: 'New password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
    const elsewhere = await playwright.request.newContext();
    const other = await Api.signIn(elsewhere, shop.url, login);
    await page.goto('/profile');
    await settled(page);
    const sessions = page.getByRole('table', { name: 'Where you are signed in' });
    await expect(sessions.getByRole('row')).toHaveCount(3);
    await expect(page.getByText('see segments, members, sizes and history')).toBeVisible();
    await expect(page.getByText('manage accounts')).toHaveCount(0);

    await page.getByRole('textbox', { name: 'Current password' }).fill('wrong, and long enough');
    await page.getByRole('textbox', { name: 'New password' }).fill(`${PASSWORD} anew`);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await expect(page.getByRole('textbox', { name: 'Current password' })).toHaveAttribute(
      'aria-invalid',
      'true',
    );
    await page.getByRole('textbox', { name: 'Current password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await expect(page.getByText('The password is set.')).toBeVisible();
    await expect(sessions.getByRole('row')).toHaveCount(2);
    await expect(other.get('/accounts/me')).rejects.toThrow(/401/);
    await isAccessible(page);

    await page.getByRole('button', { name: 'Sign out everywhere…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
    await expect(page).toHaveURL(/\/sign-in/);
    await elsewhere.dispose();
  });
});

test('the settings of signing in are shown with what changes them', async ({ page, as, shop }) => {
  await as('root');
  await page.goto('/sign-in-settings');
  await settled(page);
  await expect(page.getByText(`${shop.url}/api/v1/auth/providers/yandex/callback`)).toBeVisible();
  await expect(page.getByText('STRATA_OIDC_ISSUER', { exact: true })).toBeVisible();
});

test('what the console just did stands as a curl line, without a secret', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('PLAYED');
  await page.goto('/segments/PLAYED?tab=settings');
  await settled(page);
  await page.getByLabel('Name', { exact: true }).fill('played with');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('PLAYED was saved.')).toBeVisible();
  await page.getByRole('link', { name: 'API', exact: true }).click();
  await page.getByRole('button', { name: 'PATCH /api/v1/segments/PLAYED' }).first().click();
  await expect(page).toHaveURL(/call=\d+/);
  const line = page.getByText(/^curl /).first();
  await expect(line).toContainText('-X PATCH');
  await expect(line).toContainText('Authorization: Bearer $STRATA_TOKEN');
  await expect(line).toContainText('played with');
  await expect(page.getByRole('main')).not.toContainText(/csrf|strata_[A-Za-z0-9]{10}/i);
  await isAccessible(page);
  await page.getByRole('combobox', { name: 'Path and query' }).fill('/api/v1/segments/PLAYED');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('table', { name: 'Headers of the answer' })).toContainText(/etag/i);
  await expect(page.getByText('"name": "played with"').last()).toBeVisible();
});

test.describe('a provider', () => {
  test.use({ expected: /status of 401/ });
  let provider: Provider;
  let service: Service;
  test.beforeEach(async () => {
    provider = await Provider.start();
    const settings = { ...provider.settings, STRATA_SIGN_UP_DOMAINS: 'example.org' };
    service = await Service.start('away', '127.0.0.1:0', settings);
  });
  test.afterEach(async ({ page }) => {
    await page.goto('about:blank');
    await service.stop();
    provider.stop();
  });

  test('is offered on the sign-in page, and its refusal is told there', async ({ page }) => {
    await page.goto(`${service.url}/sign-in`);
    await page.getByRole('link', { name: 'Sign in with The company' }).click();
    await expect(page.getByRole('alert')).toContainText('vouched for nobody');
    await expect(page).toHaveURL(`${service.url}/sign-in`);
    expect(provider.asked[0]?.get('code_challenge_method')).toBe('S256');
  });

  test('lets in whoever it vouches for, and nobody of a foreign domain', async ({ page }) => {
    const sub = `olga-${Date.now()}`;
    await page.goto(`${service.url}/sign-in`);
    provider.somebody = { sub: 'stranger', email: 'stranger@elsewhere.example' };
    await page.getByRole('link', { name: 'Sign in with The company' }).click();
    await expect(page.getByRole('alert')).toContainText('vouched for nobody');
    provider.somebody = { sub, email: `${sub}@example.org` };
    await page.getByRole('link', { name: 'Sign in with The company' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
    await page.goto(`${service.url}/profile`);
    await settled(page);
    await expect(figure(page, 'E-mail or name')).toHaveText(`${sub}@example.org`);
    await expect(figure(page, 'Role')).toHaveText('viewer');
    await expect(page.getByText(`linked as ${sub}`)).toBeVisible();
    await isAccessible(page);
  });

  test('is linked to an account by its owner, and signs them in from then on', async ({ page }) => {
    const sub = `root-${Date.now()}`;
    provider.somebody = { sub, email: 'root@elsewhere.example' };
    await Api.signIn(page.request, service.url, 'root');
    await page.goto(`${service.url}/profile`);
    await settled(page);
    await expect(page.getByText('not linked')).toBeVisible();
    await isAccessible(page);
    await page.getByRole('button', { name: 'Link The company' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
    await page.goto(`${service.url}/profile`);
    await expect(page.getByText(`linked as ${sub}`)).toBeVisible();
    await page.context().clearCookies();
    await page.goto(`${service.url}/sign-in`);
    await page.getByRole('link', { name: 'Sign in with The company' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
    await page.goto(`${service.url}/profile`);
    await expect(figure(page, 'Role')).toHaveText('administrator');
    await page.context().clearCookies();
    const root = await Api.signIn(page.request, service.url, 'root');
    const me = await root.get<{ account: { id: number } }>('/accounts/me');
    await root.send('DELETE', `/accounts/${me.account.id}/identities/oidc/${sub}`);
  });
});
