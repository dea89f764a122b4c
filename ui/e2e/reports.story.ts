import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { choose, downloaded, figure, number } from './reading';
import { Api, expect, fitsWidth, isAccessible, Service, settled, test } from './story';

interface Report {
  link: string;
  rows: number;
  sha256: string;
}

interface Job {
  id: number;
  state: string;
  report: Report | null;
}

test('members of a segment are reported at once, and the link gives the file to whoever has it', async ({
  page,
  as,
  shop,
  playwright,
}) => {
  const api = await as('anna');
  const users = ['12346', '12347', '12348'];
  await api.segment('REPORTS_MEMBERS', users);
  await page.goto('/reports');
  await settled(page);
  await page.getByRole('button', { name: 'New report' }).first().click();
  await expect(page).toHaveURL(/new=history/);
  const dialog = page.getByRole('dialog', { name: 'New report' });
  await dialog.getByRole('combobox', { name: 'What is reported' }).click();
  await page.getByRole('option', { name: 'Members of a segment' }).click();
  await expect(dialog.getByRole('button', { name: 'Make report' })).toBeDisabled();
  await choose(dialog, 'Segment', 'REPORTS_MEMBERS');
  await dialog.getByRole('combobox', { name: 'The link holds' }).click();
  await page.getByRole('option', { name: 'an hour' }).click();
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Make report' }).click();
  const ready = page.getByRole('dialog', { name: 'The report is ready' });
  await expect(figure(ready, 'Rows')).toHaveText('3');
  await isAccessible(page);
  const file = await downloaded(page, () => ready.getByRole('link', { name: 'Download' }).click());
  expect(file.name).toMatch(/\.csv$/);
  const [head, ...rows] = file.text.trim().split(/\r?\n/);
  expect(head).toMatch(/^user_id/);
  expect(rows.map((line) => line.split(';')[0])).toEqual(users);
  const { items } = await api.get<{ items: Job[] }>('/jobs?kind=report&limit=1');
  const report = items[0]?.report;
  await expect(ready).toContainText(report?.sha256 ?? 'a report');
  const stranger = await playwright.request.newContext();
  const answer = await stranger.get(new URL(report?.link ?? '', shop.url).href);
  expect(answer.status()).toBe(200);
  expect((await answer.body()).equals(file.bytes)).toBe(true);
  await stranger.dispose();
  await ready.getByRole('button', { name: 'Close', exact: true }).last().click();
  await expect(page).toHaveURL(/\/reports$/);
  const first = page.getByRole('table', { name: 'Reports' }).getByRole('row').nth(1);
  await expect(first).toContainText(`Job ${items[0]?.id}`);
  await expect(first).toContainText('done');
  const again = await downloaded(page, () => first.getByRole('link', { name: /^Download/ }).click());
  expect(again.bytes.equals(file.bytes)).toBe(true);
});

test('a report of all history has each row of it, packed, and is found again at its job', async ({
  page,
  as,
}) => {
  test.setTimeout(180_000);
  const api = await as('anna');
  await page.goto('/reports?new=history');
  const dialog = page.getByRole('dialog', { name: 'New report' });
  await dialog.getByRole('checkbox', { name: 'Packed with gzip' }).check();
  await dialog.getByRole('button', { name: 'Make report' }).click();
  const link = page.getByRole('link', { name: 'Download', exact: true });
  await expect(link).toBeVisible({ timeout: 120_000 });
  const saved = await downloaded(page, () => link.click());
  expect(saved.name).toMatch(/\.csv\.gz$/);
  const { items } = await api.get<{ items: Job[] }>('/jobs?kind=report&limit=1');
  const report = items[0]?.report;
  const rows = gunzipSync(saved.bytes).toString().trim().split('\n');
  expect(rows).toHaveLength((report?.rows ?? 0) + 1);
  expect(createHash('sha256').update(saved.bytes).digest('hex')).toBe(report?.sha256);
  const { total } = await api.get<{ total: number }>('/history?limit=1&count=exact');
  expect(report?.rows).toBe(total);
  await page.goto('/reports');
  await page.getByRole('link', { name: `Job ${items[0]?.id}` }).click();
  const file = page.getByRole('region', { name: 'File' });
  await expect(figure(file, 'Rows')).toHaveText(number(total));
  await expect(file).toContainText(report?.sha256 ?? 'a report');
  await expect(file.getByRole('link', { name: 'Download' })).toBeVisible();
  await isAccessible(page);
});

test.describe('a report that takes its time', () => {
  // The service waits for it only for half as long as answers may take.
  let service: Service;
  test.beforeEach(async () => {
    service = await Service.start('crowd', undefined, { STRATA_REQUEST_TIMEOUT_MS: '2000' });
  });
  test.afterEach(() => service.stop());

  test('is written by a job, which is followed until its file is there', async ({ page }) => {
    test.setTimeout(180_000);
    const api = await Api.signIn(page.request, service.url, 'anna');
    await page.goto(`${service.url}/reports?new=members&segment=CROWD`);
    const dialog = page.getByRole('dialog', { name: 'New report' });
    await expect(dialog.getByRole('combobox', { name: 'Segment' })).toHaveValue('CROWD');
    await dialog.getByRole('checkbox', { name: 'Packed with gzip' }).check();
    await dialog.getByRole('button', { name: 'Make report' }).click();
    await expect(page).toHaveURL(/\/jobs\/\d+$/);
    const id = Number(/\d+$/.exec(page.url())?.[0]);
    const file = page.getByRole('region', { name: 'File' });
    await expect(page.getByRole('main').getByText('done', { exact: true })).toBeVisible({ timeout: 120_000 });
    const { report } = await api.get<Job>(`/jobs/${id}`);
    expect(report?.rows).toBe(1_000_000);
    await expect(figure(file, 'Rows')).toHaveText('1,000,000');
    await expect(file).toContainText(report?.sha256 ?? 'a report');
    await isAccessible(page);
    const saved = await downloaded(page, () => file.getByRole('link', { name: 'Download' }).click());
    expect(saved.name).toMatch(/\.csv\.gz$/);
    expect(gunzipSync(saved.bytes).toString().trim().split('\n')).toHaveLength(1_000_001);
  });
});

test.describe('a combination that is none', () => {
  test.use({ expected: /status of 4\d\d/ });

  test('is told under its field, and one that is mended becomes a file', async ({ page, as }) => {
    const api = await as('anna');
    await api.segment('REPORTS_A', ['12346', '12347']);
    await api.segment('REPORTS_B', ['12347', '12348']);
    await page.goto('/reports?new=algebra');
    const dialog = page.getByRole('dialog', { name: 'New report' });
    const field = dialog.getByRole('textbox', { name: 'Combination' });
    await field.fill('REPORTS_A - (');
    await dialog.getByRole('button', { name: 'Make report' }).click();
    await expect(dialog.getByRole('alert')).toBeVisible();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await isAccessible(page);
    await field.fill('REPORTS_A - REPORTS_B');
    await dialog.getByRole('combobox', { name: 'Format' }).click();
    await page.getByRole('option', { name: 'NDJSON' }).click();
    await dialog.getByRole('button', { name: 'Make report' }).click();
    const ready = page.getByRole('dialog', { name: 'The report is ready' });
    await expect(figure(ready, 'Rows')).toHaveText('1');
    const file = await downloaded(page, () => ready.getByRole('link', { name: 'Download' }).click());
    expect(file.name).toMatch(/\.ndjson$/);
    expect(JSON.parse(file.text)).toMatchObject({ user_id: '12346' });
  });
});

test('reports are listed on a phone, and to no viewer', async ({ page, as }) => {
  const api = await as('anna');
  await api.segment('REPORTS_PHONE', ['12346']);
  await api.post('/reports/members', { segment: 'REPORTS_PHONE' });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/reports');
  await settled(page);
  await expect(page.getByRole('link', { name: /^Download/ }).first()).toBeVisible();
  await fitsWidth(page);
  await isAccessible(page);
  await as('vera');
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('data.export');
  await expect(page.getByRole('button', { name: 'New report' })).toHaveCount(0);
});
