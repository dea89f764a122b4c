import { expect, fitsWidth, isAccessible, settled, test, type Api } from './story';
import { figure, number } from './reading';

interface Summary {
  users: number;
  segments: number;
  memberships: number;
  memberships_with_deadline: number;
  since: { added: number; removed: number; extended: number; segments_changed: number };
  jobs: { queued: number; running: number; failed: number };
  ending: { within_day: number; within_week: number };
  service: { version: string };
}

/** As the page asks: what changed since midnight where the browser is. */
function summary(api: Api): Promise<Summary> {
  const day = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/London' }).format(new Date());
  return api.get<Summary>(`/summary?since=${day}T00:00:00Z`);
}

test('the totals are what the service counts, and lead to the lists', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('HOME_TOTALS', ['12346', '12347']);
  await page.goto('/');
  await settled(page);
  const told = await summary(api);
  const totals = page.getByRole('region', { name: 'Totals' });
  await expect(figure(totals, 'Users')).toHaveText(number(told.users));
  await expect(figure(totals, 'Segments')).toHaveText(number(told.segments));
  await expect(figure(totals, 'Memberships')).toHaveText(number(told.memberships));
  await expect(figure(totals, 'With a deadline')).toHaveText(number(told.memberships_with_deadline));
  const health = page.getByRole('region', { name: 'Health' });
  await expect(figure(health, 'Status')).toContainText('ready');
  await expect(figure(health, 'Version')).toHaveText(told.service.version);
  await isAccessible(page);
  await totals.getByRole('link', { name: 'Segments' }).click();
  await expect(page).toHaveURL(/\/segments$/);
  await expect(page.getByRole('heading', { level: 1, name: 'Segments' })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
});

test('what changed today is counted and told, the newest first', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('HOME_TODAY');
  // Whoever is new may be one of a share as well.
  await api.segment('HOME_BEFORE', ['12350', '12352']);
  const before = await summary(api);
  await api.post('/users/12350/segments/HOME_TODAY');
  await api.post('/users/12352/segments/HOME_TODAY');
  await api.send('DELETE', '/users/12352/segments/HOME_TODAY');
  await page.goto('/');
  await settled(page);
  const today = page.getByRole('region', { name: 'Changed today' });
  await expect(figure(today, 'Added')).toHaveText(number(before.since.added + 2));
  await expect(figure(today, 'Removed')).toHaveText(number(before.since.removed + 1));
  const told = await summary(api);
  await expect(figure(today, 'Segments changed')).toHaveText(number(told.since.segments_changed));
  const lines = today.getByRole('list', { name: 'Newest changes' }).getByRole('listitem');
  await expect(lines.nth(0)).toContainText(/12352.*removed.*HOME_TODAY/s);
  await expect(lines.nth(1)).toContainText(/12352.*added.*HOME_TODAY/s);
  await expect(lines.nth(2)).toContainText(/12350.*added.*HOME_TODAY.*root/s);
  await lines.nth(2).getByRole('link', { name: '12350' }).click();
  await expect(page).toHaveURL(/\/users\/12350$/);
});

test('the newest jobs are told with their state, and lead to them', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('HOME_JOBS', ['12353', '12354']);
  const { items } = await api.get<{ items: { id: number }[] }>('/jobs?limit=1');
  const told = await summary(api);
  await page.goto('/');
  await settled(page);
  const jobs = page.getByRole('region', { name: 'Jobs' });
  await expect(figure(jobs, 'Queued')).toHaveText(number(told.jobs.queued));
  await expect(figure(jobs, 'Running')).toHaveText(number(told.jobs.running));
  await expect(figure(jobs, 'Failed today')).toHaveText(number(told.jobs.failed));
  const newest = jobs.getByRole('list', { name: 'Newest jobs' }).getByRole('listitem').first();
  await expect(newest).toContainText(/Import of memberships.*done.*root/s);
  await newest.getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1, name: `Job ${items[0]?.id}` })).toBeVisible();
  await page.goBack();
  await jobs.getByRole('link', { name: 'Failed today' }).click();
  await expect(page).toHaveURL(/\/jobs\?state=failed$/);
});

test('a membership that is about to end stands among the soonest, and is gone when it has ended', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await api.segment('HOME_ENDING');
  const before = await summary(api);
  const end = new Date(Date.now() + 8_000).toISOString();
  await api.post('/users/12355/segments/HOME_ENDING', { expires_at: end });
  await page.goto('/');
  await settled(page);
  const ending = page.getByRole('region', { name: 'About to end' });
  await expect(figure(ending, 'Within a day')).toHaveText(number(before.ending.within_day + 1));
  const line = ending.getByRole('listitem').filter({ hasText: 'HOME_ENDING' });
  await expect(line).toContainText('12355');
  await expect(line).toContainText(/second|now/);
  const isIn = async () =>
    (await api.get<{ is_member: boolean }>('/users/12355/segments/HOME_ENDING/why')).is_member;
  await expect.poll(isIn, { timeout: 20_000 }).toBe(false);
  await page.reload();
  await settled(page);
  await expect(line).toHaveCount(0);
  await ending.getByRole('link', { name: 'By day' }).click();
  await expect(page).toHaveURL(/\/statistics#ending$/);
});

test('home is readable on a phone', async ({ page, as }) => {
  const api = await as('vera');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/');
  await settled(page);
  const { users } = await summary(api);
  await expect(figure(page.getByRole('region', { name: 'Totals' }), 'Users')).toHaveText(number(users));
  await fitsWidth(page);
  await isAccessible(page);
});
