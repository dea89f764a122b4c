import type { Page } from '@playwright/test';
import { cells, downloaded, figure, fresh, number } from './reading';
import { Api, expect, fitsWidth, isAccessible, Service, settled, test } from './story';

interface Job {
  id: number;
  kind: string;
  state: string;
  actor: string;
  counts: Record<string, number>;
  refused: number;
  cancelled_by: string | null;
  undoes: number | null;
}

const csv = { 'content-type': 'text/csv' };
const jobs = (page: Page) => page.getByRole('table', { name: 'Jobs' });

/** Memberships of 20,000 users in 30 segments, so that there is time to end it. */
function manyMemberships(prefix: string): string {
  const lines = ['user_id,segment'];
  for (let place = 0; place < 600_000; place += 1) {
    lines.push(`${prefix}-${place % 20_000},${prefix.toUpperCase()}_${Math.floor(place / 20_000)}`);
  }
  return lines.join('\n');
}

const memberships = async (api: Api) => (await api.get<{ memberships: number }>('/summary')).memberships;

test.describe('a long job', () => {
  // Of a store of its own, which it fills.
  let service: Service;
  test.beforeEach(async () => {
    service = await Service.start('away');
  });
  test.afterEach(() => service.stop());

  test('is followed live, ended, undone, and the undo is a job of its own', async ({ page }) => {
    test.setTimeout(240_000);
    const api = await Api.signIn(page.request, service.url, 'root');
    const before = await memberships(api);
    const path = '/memberships/import?create_segments=true';
    const job = await api.send<Job>('POST', path, manyMemberships(fresh('long').replace('-', '_')), csv);
    await page.goto(`${service.url}/jobs/${job.id}`);
    await expect(page.getByRole('heading', { level: 1, name: `Job ${job.id}` })).toBeVisible();
    await expect(page.getByText('Followed live')).toBeVisible();
    const course = page.getByRole('region', { name: 'Progress' });
    const done = async () =>
      Number((await course.getByText(/ of 600,000$/).innerText()).split(' ')[0]?.replaceAll(',', ''));
    await expect.poll(done, { timeout: 30_000 }).toBeGreaterThan(0);
    const first = await done();
    await expect.poll(done, { timeout: 30_000 }).toBeGreaterThan(first);
    await expect(figure(course, 'Speed')).toContainText('per second');
    await expect(course.getByRole('progressbar', { name: `Progress of job ${job.id}` })).toBeVisible();
    await isAccessible(page);
    await page.getByRole('button', { name: 'End job' }).click();
    const dialog = page.getByRole('dialog', { name: `End job ${job.id}` });
    await expect(dialog).toContainText('What it did until then stays.');
    await dialog.getByRole('button', { name: 'End job' }).click();
    await expect(page.getByRole('main').getByText('cancelled', { exact: true })).toBeVisible({
      timeout: 30_000,
    });
    const ended = await api.get<Job>(`/jobs/${job.id}`);
    expect(ended).toMatchObject({ state: 'cancelled', cancelled_by: 'root' });
    const stays = await memberships(api);
    expect(stays - before).toBe(ended.counts.added);
    expect(stays).toBeGreaterThan(before);
    expect(stays).toBeLessThan(before + 600_000);
    const did = page.getByRole('region', { name: 'What it did' });
    await expect(figure(did, 'Added')).toHaveText(number(ended.counts.added ?? 0));
    await isAccessible(page);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page
      .getByRole('dialog', { name: `Undo job ${job.id}` })
      .getByRole('button', { name: 'Undo' })
      .click();
    await expect(page).not.toHaveURL(new RegExp(`/jobs/${job.id}$`));
    await expect(page.getByRole('main').getByText('done', { exact: true })).toBeVisible({ timeout: 120_000 });
    await expect(figure(did, 'Removed')).toHaveText(number(ended.counts.added ?? 0));
    expect(await memberships(api)).toBe(before);
    await page.getByRole('link', { name: `Job ${job.id}` }).click();
    await expect(page).toHaveURL(new RegExp(`/jobs/${job.id}$`));
  });
});

test('rows that a job refused are told, and saved to be mended', async ({ page, as }) => {
  const api = await as('anna');
  await api.segment('JOBS_REFUSED');
  const rows = [
    'user_id,segment',
    '12346,JOBS_REFUSED',
    'two words,JOBS_REFUSED',
    '12347,JOBS_REFUSED',
    ',JOBS_REFUSED',
  ];
  const job = await api.send<Job>('POST', '/memberships/import', rows.join('\n'), csv);
  await api.ended(job.id);
  await page.goto(`/jobs/${job.id}`);
  await settled(page);
  await expect(figure(page.getByRole('region', { name: 'What it did' }), 'Added')).toHaveText('2');
  const refused = page.getByRole('region', { name: 'Refused rows' });
  await expect(refused).toContainText('The first 2 of 2.');
  expect((await cells(refused.getByRole('table'))).map((one) => one.slice(0, 2))).toEqual([
    ['3', 'user_id'],
    ['5', 'user_id'],
  ]);
  await isAccessible(page);
  const file = await downloaded(page, () =>
    refused.getByRole('button', { name: 'Download refused rows' }).click(),
  );
  const lines = file.text.trim().split(/\r?\n/);
  expect(lines[0]).toMatch(/^import_line[,;]import_error[,;]user_id[,;]segment$/);
  expect(lines).toHaveLength(3);
  expect(lines[1]).toContain('two words');
  // Mended, the file is sent as it is.
  const mended = [lines[0], lines[1]?.replaceAll('two words', '12348')].join('\n');
  await api.ended((await api.send<Job>('POST', '/memberships/import', mended, csv)).id);
  expect(await api.get('/users/12348/segments/JOBS_REFUSED/why')).toMatchObject({ is_member: true });
});

test('an import is undone from its page, and its undo as well', async ({ page, as }) => {
  const api = await as('anna');
  await api.segment('JOBS_UNDO', ['12346', '12347', '12348']);
  const size = () => api.size('JOBS_UNDO');
  await page.goto('/jobs');
  await jobs(page).getByRole('link', { name: 'Import of memberships' }).first().click();
  await expect(page.getByRole('link', { name: 'JOBS_UNDO' })).toBeVisible();
  for (const left of [0, 3]) {
    const address = page.url();
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await isAccessible(page);
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await expect(page).not.toHaveURL(address);
    await expect(page.getByRole('main').getByText('done', { exact: true })).toBeVisible();
    expect(await size()).toBe(left);
  }
  await page.goBack();
  await page.goBack();
  await page.goBack();
  await expect(page).toHaveURL(/\/jobs$/);
});

test('jobs are narrowed by kind and state, in the address', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('JOBS_FILTER', ['12346']);
  await api.importUsers('JOBS_FILTER', 'user_id\n12347');
  await page.goto('/jobs');
  await settled(page);
  const isAnswer = async (filters: string) => {
    const { items, total } = await api.get<{ items: Job[]; total: number }>(
      `/jobs?limit=50&count=exact&${filters}`,
    );
    await expect(jobs(page)).toHaveAttribute('aria-rowcount', String(total + 1));
    await expect(jobs(page).getByRole('row').nth(1)).toContainText(String(items[0]?.id));
    return items;
  };
  await isAnswer('');
  await isAccessible(page);
  await page.getByRole('combobox', { name: 'Kind' }).click();
  await page.getByRole('option', { name: 'Import of memberships' }).click();
  await expect(page).toHaveURL(/kind=import_memberships/);
  await isAnswer('kind=import_memberships');
  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'done' }).click();
  await expect(page).toHaveURL(/state=done/);
  const [newest] = await isAnswer('kind=import_memberships&state=done');
  await page.reload();
  await expect(page.getByRole('combobox', { name: 'State' })).toHaveValue('done');
  await isAnswer('kind=import_memberships&state=done');
  await jobs(page).getByRole('link').first().click();
  await expect(page.getByRole('heading', { level: 1, name: `Job ${newest?.id}` })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/kind=import_memberships.*state=done|state=done.*kind=import_memberships/);
  await page.goto('/jobs?kind=retention&state=queued');
  await expect(page.getByText('No job fits these filters.')).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page).toHaveURL(/\/jobs$/);
  await isAnswer('');
});

test.describe('whoever does not operate the service', () => {
  test.use({ expected: /status of 404/ });

  test('sees their own jobs and nobody else’s', async ({ page, as }) => {
    await (await as('root')).segment('JOBS_OTHERS', ['12346']);
    const api = await as('anna');
    await api.segment('JOBS_OWN', ['12346']);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto('/jobs');
    await jobs(page).getByRole('link', { name: 'Import of memberships' }).first().click();
    await expect(page.getByRole('region', { name: 'About the job' })).toContainText('JOBS_OWN');
    await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
    await fitsWidth(page);
    await isAccessible(page);
    const address = page.url();
    await as('vera');
    await page.goto('/jobs');
    await expect(page.getByText('No jobs')).toBeVisible();
    await page.goto(address);
    await expect(page.getByRole('alert')).toBeVisible();
    await expect(page.getByText('JOBS_OWN')).toHaveCount(0);
  });
});
