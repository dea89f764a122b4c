import { number } from './reading';
import { Api, expect, PASSWORD, Service, settled, test } from './story';

/** Stories of a service that is stopped, and of sessions that end: on a store of their own. */
test.describe('while somebody works', () => {
  // The browser tells its console of each request that got no answer, or 401.
  test.use({ expected: /ERR_CONNECTION_|ERR_EMPTY_RESPONSE|status of 401|Failed to fetch dynamically/ });
  let service: Service;
  test.beforeEach(async () => {
    service = await Service.start('away');
  });
  test.afterEach(() => service.stop());

  test('a service that goes away is told of, and what was typed is saved when it is back', async ({
    page,
  }) => {
    const api = await Api.signIn(page.request, service.url, 'root');
    await api.segment('AWAY_NAME');
    await page.goto(`${service.url}/segments/AWAY_NAME?tab=settings`);
    await page.getByLabel('Name', { exact: true }).fill('typed while it was away');
    await service.stop();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByRole('alert').filter({ hasText: 'does not answer' }).first()).toBeVisible();
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('typed while it was away');
    service = await Service.start('away', service.address);
    await expect(page.getByText('The service answers again.')).toBeVisible();
    await expect(page.getByText('What you see is as it was', { exact: false })).toHaveCount(0);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByText('AWAY_NAME was saved.')).toBeVisible();
    expect(await api.get('/segments/AWAY_NAME')).toMatchObject({ name: 'typed while it was away' });
  });

  test('a page that is opened while the service is away comes by itself when it is back', async ({
    page,
  }) => {
    await Api.signIn(page.request, service.url, 'root');
    await page.goto(`${service.url}/segments`);
    await settled(page);
    await service.stop();
    await page.getByRole('link', { name: 'Users', exact: true }).click();
    await expect(page.getByRole('alert').filter({ hasText: 'does not answer' }).first()).toBeVisible();
    service = await Service.start('away', service.address);
    await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
    await settled(page);
    await expect(page.getByRole('alert')).toHaveCount(0);
  });

  test('a session that ended asks for the password over the page and keeps what was typed', async ({
    page,
  }) => {
    const api = await Api.signIn(page.request, service.url, 'root');
    await api.segment('ENDED_NAME');
    await page.goto(`${service.url}/segments/ENDED_NAME?tab=settings`);
    await page.getByLabel('Name', { exact: true }).fill('typed before the session ended');
    await api.send('DELETE', '/auth/session');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
    await expect(dialog).toBeVisible();
    await dialog.getByRole('textbox', { name: 'Password' }).fill('wrong, and long enough');
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(dialog.getByRole('alert')).toBeVisible();
    await dialog.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(dialog).toHaveCount(0);
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('typed before the session ended');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByText('ENDED_NAME was saved.')).toBeVisible();
  });

  test('a session that ended while one looked elsewhere keeps what was typed as well', async ({ page }) => {
    const api = await Api.signIn(page.request, service.url, 'root');
    await api.segment('ENDED_ELSEWHERE');
    await page.clock.install();
    await page.goto(`${service.url}/segments/ENDED_ELSEWHERE?tab=settings`);
    await page.getByLabel('Name', { exact: true }).fill('typed before somebody looked elsewhere');
    await api.send('DELETE', '/auth/session');
    await page.clock.fastForward('10:00');
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
    await expect(dialog.getByRole('textbox', { name: 'E-mail or name' })).toHaveValue('root');
    await dialog.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(dialog).toHaveCount(0);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByText('ENDED_ELSEWHERE was saved.')).toBeVisible();
    expect(await api.get('/segments/ENDED_ELSEWHERE')).toMatchObject({
      name: 'typed before somebody looked elsewhere',
    });
  });
});

/** Ten megabytes; every thousandth row names nobody. */
function largeFile(): { text: string; rows: number; bad: number } {
  const lines = ['user_id;reason'];
  let [length, bad] = [0, 0];
  for (let row = 1; length < 10 * 1024 * 1024; row += 1) {
    const isBad = row % 1000 === 0;
    if (isBad) bad += 1;
    const line = isBad
      ? `;row ${row} of a list that somebody keeps by hand`
      : `z-list-${row};row ${row} of a list that somebody keeps by hand`;
    lines.push(line);
    length += line.length + 1;
  }
  return { text: lines.join('\n'), rows: lines.length - 1, bad };
}

test('a file of ten megabytes with bad rows is tried, imported and undone', async ({ page, as }) => {
  test.setTimeout(240_000);
  const api = await as('root');
  await api.segment('LARGE_LIST');
  const { text, rows, bad } = largeFile();
  await page.goto('/segments/LARGE_LIST?tab=members');
  await page.getByRole('button', { name: 'Import', exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog
    .locator('input[type=file]')
    .setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await expect(dialog.getByText('z-list-1', { exact: true })).toBeVisible();
  await dialog.getByRole('button', { name: 'Try without changes' }).click();
  await expect(dialog.getByText(number(bad)).first()).toBeVisible({ timeout: 120_000 });
  const size = () => api.size('LARGE_LIST');
  expect(await size()).toBe(0);
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect.poll(size, { timeout: 120_000 }).toBe(rows - bad);
  // Each bad row can be read, mended and sent again.
  const [errors] = await Promise.all([
    page.waitForEvent('download'),
    dialog
      .getByRole('link', { name: 'Download refused rows' })
      .or(dialog.getByRole('button', { name: 'Download refused rows' }))
      .click(),
  ]);
  const stream = await errors.createReadStream();
  let refused = '';
  for await (const chunk of stream) refused += String(chunk);
  expect(refused.trim().split('\n').length - 1).toBe(bad);
  await dialog.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(size, { timeout: 120_000 }).toBe(0);
});
