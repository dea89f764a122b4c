import { writeFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import { cells, downloaded, field, figure, hours, number, percent, slugOf } from './reading';
import { expect, fitsWidth, isAccessible, settled, test, type Api } from './story';

interface Segment {
  slug: string;
  name: string;
  description: string;
  kind: string;
  percent: number | null;
  default_ttl: string | null;
  seed: string;
  version: number;
}

interface Member {
  user_id: string;
  since: string;
  expires_at: string | null;
  source: string;
  actor: string;
  reason: string | null;
}

interface PageOf<T> {
  items: T[];
  next_cursor: string | null;
  total: number | null;
}

interface HistoryRow {
  timestamp: string;
  user_id: string;
  operation: string;
  reason: string | null;
}

interface Distributed {
  user_count: number;
  total_users: number;
  percent: number;
  added: number;
  removed: number;
}

interface Overlap {
  segments: { segment: string; user_count: number }[];
  intersections: { segments: string[]; user_count: number }[];
  jaccard: number[][];
}

/** Customers of the shop. */
const people = (count: number, from = 0) =>
  Array.from({ length: count }, (_, place) => String(12_346 + from + place));
/** The instant that such a field means: minutes are the smallest it knows. */
const minute = (at: string) => new Date(Math.floor(Date.parse(at) / 60_000) * 60_000);

const members = (api: Api, slug: string, query = '') =>
  api.get<PageOf<Member>>(`/segments/${slug}/users?count=exact&limit=1000${query}`);
/** All of them, however many pages they take. */
async function ids(api: Api, slug: string, query = ''): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: PageOf<Member> = await members(
      api,
      slug,
      cursor === '' ? query : `${query}&cursor=${cursor}`,
    );
    found.push(...page.items.map(({ user_id }) => user_id));
    cursor = page.next_cursor;
  }
  return found;
}
const history = (api: Api, slug: string, query = '') =>
  api.get<PageOf<HistoryRow>>(`/history?segment=${slug}&sort=-timestamp&count=exact&limit=1000${query}`);
const segment = (api: Api, slug: string) => api.get<Segment>(`/segments/${slug}`);
const patch = (api: Api, slug: string, data: Partial<Segment>) =>
  api.send<Segment>('PATCH', `/segments/${slug}`, data, { 'if-match': '*' });
const status = async (page: Page, slug: string) =>
  (await page.request.get(`/api/v1/segments/${slug}`)).status();

const list = (page: Page, slug: string) => page.getByRole('table', { name: `Members of ${slug}` });
const row = (page: Page, table: Locator, id: string) =>
  table.getByRole('row').filter({ has: page.getByRole('link', { name: id, exact: true }) });
const linked = (table: Locator) => table.getByRole('row').getByRole('link').allInnerTexts();
const told = (page: Page, words: string | RegExp) => page.getByRole('alert').filter({ hasText: words });

async function open(page: Page, slug: string, tab?: string): Promise<void> {
  await page.goto(`/segments/${slug}${tab ? `?tab=${tab}` : ''}`);
  await settled(page);
}

/** A segment of the shop that has a past, with an instant in the middle of it. */
async function aged(api: Api): Promise<{ slug: string; early: Date; late: Date }> {
  const { items } = await api.get<PageOf<{ slug: string }>>('/segments/stats?sort=-user_count&limit=50');
  for (const { slug } of items) {
    const found = await api.get<PageOf<HistoryRow>>(`/history?segment=${slug}&sort=timestamp&limit=200`);
    const [early, late] = [found.items[20], found.items[120]].map((one) => minute(one?.timestamp ?? ''));
    const isOld = early && late && late.getTime() < hours(-24).getTime();
    if (isOld && early < late) return { slug, early, late };
  }
  throw new Error('nothing in the shop is old');
}

test.describe('no segment', () => {
  test.use({ expected: /status of 404/ });

  test('is said to be missing, with a way to those that are there', async ({ page, as }) => {
    await as('root');
    await open(page, 'SEGMENT_NOWHERE', 'members');
    await expect(page.getByText('There is no segment SEGMENT_NOWHERE')).toBeVisible();
    await expect(page.getByRole('tab')).toHaveCount(0);
    await isAccessible(page);
    await page.getByRole('link', { name: 'All segments' }).click();
    await expect(page).toHaveURL(/\/segments$/);
    await expect(page.getByRole('table', { name: 'Segments' })).toBeVisible();
  });
});

test('the overview tells size and share as the API does, and keeps its period in the address', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await api.segment('SEGMENT_OVERVIEW', people(37));
  await patch(api, 'SEGMENT_OVERVIEW', { name: 'Friends', description: 'Those who come often' });
  await open(page, 'SEGMENT_OVERVIEW');
  const reach = await api.get<Distributed>('/segments/SEGMENT_OVERVIEW/distribute');
  expect(reach.user_count).toBe(37);
  const shown = page.getByRole('region', { name: 'Reach' });
  await expect(figure(shown, 'Users')).toHaveText('37');
  await expect(figure(shown, 'Share of all')).toHaveText(percent(reach.percent));
  await expect(figure(shown, 'All users')).toHaveText(number(reach.total_users));
  const about = page.getByRole('region', { name: 'About the segment' });
  const { seed, version } = await segment(api, 'SEGMENT_OVERVIEW');
  await expect(about).toContainText('Those who come often');
  await expect(figure(about, 'Name')).toHaveText('Friends');
  await expect(figure(about, 'Kind')).toHaveText('by hand');
  await expect(figure(about, 'Seed')).toHaveText(seed);
  await expect(figure(about, 'Version')).toHaveText(String(version));
  const course = page.getByRole('region', { name: 'Course' });
  await course.getByText('All time').click();
  await expect(page).toHaveURL(/days=0/);
  await course.getByText('7 days').click();
  await expect(page).toHaveURL(/days=7/);
  await page.reload();
  await expect(course.getByRole('radio', { name: '7 days' })).toBeChecked();
  await course.getByRole('button', { name: 'Show as table' }).first().click();
  const table = course.getByRole('table').first();
  const rows = await cells(table);
  expect(rows.at(-1)?.at(-1)).toBe('37');
  await isAccessible(page);
});

test('a segment that is new says how to begin, and begins so', async ({ page, as }) => {
  const api = await as('root');
  const slug = slugOf('SEGMENT_START');
  await api.post('/segments', { slug });
  await open(page, slug);
  await expect(page.getByText('Nobody was here yet')).toBeVisible();
  await isAccessible(page);
  await page.getByRole('button', { name: 'Import a file' }).click();
  await expect(page.getByRole('dialog', { name: `Import members of ${slug}` })).toBeVisible();
  await expect(page).toHaveURL(/tab=members/);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('tab', { name: 'Overview' }).click();
  await page.getByRole('button', { name: 'Add a user' }).click();
  await expect(page.getByRole('dialog', { name: `Add a user to ${slug}` })).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByText('No members')).toBeVisible();
});

test('a share is foretold before it is applied, and then is exactly so many of all users', async ({
  page,
  as,
}) => {
  const api = await as('anna');
  await api.segment('SEGMENT_SHARE');
  await open(page, 'SEGMENT_SHARE');
  const preview = page.getByRole('status', { name: 'What it would change' });
  const rehearse = async (share: number) => {
    const path = '/segments/SEGMENT_SHARE/distribute?dry_run=true';
    const answer = await api.post<Distributed>(path, { percent: share });
    await expect(figure(preview, 'Enter')).toHaveText(`+${number(answer.added)}`);
    await expect(figure(preview, 'Leave')).toHaveText(`−${number(answer.removed)}`);
    await expect(figure(preview, 'Members afterwards')).toHaveText(number(answer.user_count));
    await expect(figure(preview, 'Share of all afterwards')).toHaveText(percent(answer.percent));
    return answer;
  };
  const size = async () => (await members(api, 'SEGMENT_SHARE')).total;
  const exact = (answer: Distributed, share: number) => Math.round((answer.total_users * share) / 100);
  const percents = page.getByLabel('Share in percent');

  await percents.fill('12.3');
  const first = await rehearse(12.3);
  expect(first.added).toBe(exact(first, 12.3));
  expect(await size()).toBe(0);
  await isAccessible(page);
  await page.getByRole('button', { name: 'Give to 12.3%' }).click();
  await expect(told(page, `SEGMENT_SHARE: ${number(first.added)} entered, 0 left`)).toBeVisible();
  expect(await size()).toBe(exact(first, 12.3));
  const before = new Set(await ids(api, 'SEGMENT_SHARE'));
  const reach = page.getByRole('region', { name: 'Reach' });
  await expect(figure(reach, 'Users')).toHaveText(number(first.user_count));
  await expect(page.getByRole('main').getByText('percent', { exact: true }).first()).toBeVisible();

  const slider = page.getByRole('slider', { name: 'Share of all users, in percent' });
  await expect(slider).toHaveAttribute('aria-valuenow', '12.3');
  await slider.focus();
  for (let place = 0; place < 3; place += 1) await page.keyboard.press('ArrowLeft');
  await expect(percents).toHaveValue('12 %');
  const second = await rehearse(12);
  expect(second.removed).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Give to 12%' }).click();
  const dialog = page.getByRole('dialog', { name: 'Give SEGMENT_SHARE to 12% of all users' });
  await expect(dialog).toContainText(`${number(second.removed)} users leave the segment`);
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await size()).toBe(first.user_count);
  await page.getByRole('button', { name: 'Give to 12%' }).click();
  await dialog.getByRole('button', { name: 'Give to 12%' }).click();
  await expect(told(page, `0 entered, ${number(second.removed)} left`)).toBeVisible();
  expect(await size()).toBe(exact(second, 12));
  // Whoever stays was in before.
  expect((await ids(api, 'SEGMENT_SHARE')).every((id) => before.has(id))).toBe(true);
  expect(await segment(api, 'SEGMENT_SHARE')).toMatchObject({ kind: 'percent', percent: 12 });
});

test('members are searched, in the address, and a thousand and more of them are scrolled to the last', async ({
  page,
  as,
}) => {
  const api = await as('root');
  const { items } = await api.get<PageOf<{ user_id: string }>>('/users?limit=1000');
  const some = items.map(({ user_id }) => user_id);
  const more = people(1300).filter((id) => !some.includes(id));
  const all = [...some, ...more];
  await api.segment('SEGMENT_MANY', all);
  await open(page, 'SEGMENT_MANY', 'members');
  const table = list(page, 'SEGMENT_MANY');
  await expect(table).toHaveAttribute('aria-rowcount', String(all.length + 1));
  const whole = await ids(api, 'SEGMENT_MANY');
  expect(whole.length).toBe(all.length);
  expect((await linked(table)).slice(0, 10)).toEqual(whole.slice(0, 10));
  const last = row(page, table, whole.at(-1) ?? '');
  await table.focus();
  await expect(async () => {
    await page.keyboard.press('End');
    await expect(last).toBeVisible({ timeout: 300 });
  }).toPass({ timeout: 40_000 });
  await expect(last).toHaveAttribute('aria-rowindex', String(all.length + 1));
  await expect(page.getByText(new RegExp(`^${number(all.length)} rows`))).toBeVisible();
  expect(await table.getByRole('row').count()).toBeLessThan(60);
  await isAccessible(page);

  const part = whole[600]?.slice(0, 4) ?? '';
  await page.getByLabel('Find a member').fill(part);
  await expect(page).toHaveURL(new RegExp(`query=(%22)?${part}`));
  const found = await members(api, 'SEGMENT_MANY', `&query=${part}`);
  const first = found.items.slice(0, 8).map(({ user_id }) => user_id);
  await expect(table).toHaveAttribute('aria-rowcount', String((found.total ?? 0) + 1));
  expect((await linked(table)).slice(0, 8)).toEqual(first);
  await page.reload();
  await expect(page.getByLabel('Find a member')).toHaveValue(part);
  await expect.poll(async () => (await linked(table)).slice(0, 8)).toEqual(first);
  await page.getByLabel('Find a member').fill('nobody is called so');
  await expect(page.getByText('No such member found')).toBeVisible();
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await expect(table).toHaveAttribute('aria-rowcount', String(all.length + 1));
});

test('a user is added with a deadline and a reason, which are changed later', async ({ page, as }) => {
  const api = await as('anna');
  await api.segment('SEGMENT_ADD', people(2));
  await open(page, 'SEGMENT_ADD', 'members');
  const [id = ''] = people(1, 4);
  const table = list(page, 'SEGMENT_ADD');
  await page.getByRole('button', { name: 'Add a user' }).click();
  await expect(page).toHaveURL(/act=add/);
  const dialog = page.getByRole('dialog', { name: 'Add a user to SEGMENT_ADD' });
  const user = dialog.getByLabel('User id');
  await expect(user).toBeFocused();
  await user.fill(id);
  await page.getByRole('option', { name: id, exact: true }).click();
  const until = minute(hours(72).toISOString());
  await dialog.getByLabel('Deadline').fill(field(until));
  await dialog.getByLabel('Reason').fill('asked by letter');
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await expect(told(page, `User ${id} was added`)).toBeVisible();
  await expect(page).not.toHaveURL(/act=/);
  await expect(row(page, table, id)).toContainText('asked by letter');
  await expect(row(page, table, id).locator('time').nth(1)).toHaveAttribute('datetime', /.+/);
  const member = async () => (await members(api, 'SEGMENT_ADD')).items.find(({ user_id }) => user_id === id);
  expect(await member()).toMatchObject({ reason: 'asked by letter', actor: 'anna' });
  expect(Date.parse((await member())?.expires_at ?? '')).toBe(until.getTime());

  await page.getByRole('checkbox', { name: `Select ${id}` }).check();
  await page.getByRole('checkbox', { name: `Select ${people(1)[0]}` }).check();
  const selection = page.getByRole('group', { name: 'Selected members' });
  await expect(selection).toContainText('2 selected');
  await selection.getByRole('button', { name: 'Change the deadline' }).click();
  const change = page.getByRole('dialog', { name: 'Change the deadline' });
  await expect(change.getByRole('button', { name: 'Change the deadline' })).toBeDisabled();
  const later = minute(hours(400).toISOString());
  await change.getByLabel('Deadline').fill(field(later));
  await isAccessible(page);
  await change.getByRole('button', { name: 'Change the deadline' }).click();
  await expect(told(page, 'The deadline of 2 users was set')).toBeVisible();
  await expect(selection).toHaveCount(0);
  const ends = (await members(api, 'SEGMENT_ADD')).items.map(({ user_id, expires_at }) => [
    user_id,
    expires_at && Date.parse(expires_at),
  ]);
  expect(Object.fromEntries(ends)).toEqual({
    [people(1)[0] ?? '']: later.getTime(),
    [people(1, 1)[0] ?? '']: null,
    [id]: later.getTime(),
  });
  await expect(row(page, table, id).locator('time').nth(1)).toHaveAttribute(
    'datetime',
    (await member())?.expires_at ?? '',
  );
});

test('many members are selected and removed with a reason, which the history keeps', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENT_REMOVE', people(30));
  await open(page, 'SEGMENT_REMOVE', 'members');
  const all = await ids(api, 'SEGMENT_REMOVE');
  await page.getByRole('checkbox', { name: 'Select all that are loaded' }).check();
  const selection = page.getByRole('group', { name: 'Selected members' });
  await expect(selection).toContainText('30 selected');
  const [stays = ''] = all;
  await page.getByRole('checkbox', { name: `Select ${stays}` }).uncheck();
  await expect(selection).toContainText('29 selected');
  await selection.getByRole('button', { name: 'Remove' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove from SEGMENT_REMOVE' });
  await expect(dialog).toContainText('29 users leave the segment at once.');
  await dialog.getByLabel('Reason').fill('the campaign is over');
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(list(page, 'SEGMENT_REMOVE')).toHaveAttribute('aria-rowcount', '2');
  await expect(selection).toHaveCount(0);
  expect(await ids(api, 'SEGMENT_REMOVE')).toEqual([stays]);
  const { items } = await history(api, 'SEGMENT_REMOVE');
  const removed = items.slice(0, 29);
  expect(removed.map(({ user_id }) => user_id).sort()).toEqual(all.slice(1).sort());
  expect(removed.every((one) => one.operation === 'remove' && one.reason === 'the campaign is over')).toBe(
    true,
  );
});

test('members of an earlier instant are those of the API, and nothing of the past is changed', async ({
  page,
  as,
}) => {
  const api = await as('root');
  const { slug, late } = await aged(api);
  await open(page, slug, 'members');
  const table = list(page, slug);
  const now = await members(api, slug);
  await expect(table).toHaveAttribute('aria-rowcount', String((now.total ?? 0) + 1));
  await page.getByLabel('Exact instant').fill(field(late));
  await expect(page).toHaveURL(/as_of=/);
  const then = await members(api, slug, `&as_of=${late.toISOString()}`);
  expect(then.total).toBeGreaterThan(0);
  expect(then.total).toBeLessThan(now.total ?? 0);
  await expect(table).toHaveAttribute('aria-rowcount', String((then.total ?? 0) + 1));
  await expect(page.getByText('You are looking at the past')).toBeVisible();
  const first = then.items.slice(0, 8).map(({ user_id }) => user_id);
  await expect.poll(async () => (await linked(table)).slice(0, 8)).toEqual(first);
  await expect(page.getByRole('button', { name: 'Add a user' })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Import' })).toHaveCount(0);
  await expect(table.getByRole('checkbox')).toHaveCount(0);
  await isAccessible(page);
  await page.getByRole('button', { name: 'Export' }).click();
  await expect(page.getByText('All members of this instant')).toBeVisible();
  const file = await downloaded(page, () => page.getByRole('menuitem', { name: 'CSV' }).click());
  expect(file.text.trim().split(/\r?\n/).length).toBe((then.total ?? 0) + 1);
  await page.reload();
  await expect(table).toHaveAttribute('aria-rowcount', String((then.total ?? 0) + 1));
  await page.getByRole('button', { name: 'Show now' }).click();
  await expect(page).not.toHaveURL(/as_of=/);
  await expect(table).toHaveAttribute('aria-rowcount', String((now.total ?? 0) + 1));
  // By the slider too: a step back is not now.
  await page.getByRole('slider', { name: 'Members as of' }).focus();
  await page.keyboard.press('Home');
  await expect(page).toHaveURL(/as_of=/);
  await expect(page.getByText('You are looking at the past')).toBeVisible();
});

test('an instant in the address shows who was in to the second', async ({ page, as }) => {
  const api = await as('root');
  const [first = '', second = '', third = '', fourth = ''] = people(4);
  await api.segment('SEGMENT_PAST', [first, second, third]);
  const { items } = await members(api, 'SEGMENT_PAST');
  const at =
    items
      .map(({ since }) => since)
      .sort()
      .at(-1) ?? '';
  await api.send('DELETE', `/segments/SEGMENT_PAST/users/${second}`);
  await api.send('PUT', `/segments/SEGMENT_PAST/users/${fourth}`, {});
  const asOf = encodeURIComponent(at);
  expect(await ids(api, 'SEGMENT_PAST', `&as_of=${asOf}`)).toEqual([first, second, third]);
  await page.goto(`/segments/SEGMENT_PAST?tab=members&as_of=${asOf}`);
  await settled(page);
  await expect.poll(() => linked(list(page, 'SEGMENT_PAST'))).toEqual([first, second, third]);
  await page.getByRole('button', { name: 'Show now' }).click();
  await expect.poll(() => linked(list(page, 'SEGMENT_PAST'))).toEqual([first, third, fourth]);
});

test('a dropped file is looked at, tried, imported but for its bad rows, and undone without a trace', async ({
  page,
  as,
}) => {
  const api = await as('root');
  const [first = '', second = '', third = '', fourth = ''] = people(4);
  await api.segment('SEGMENT_IMPORT', [first]);
  const until = hours(100).toISOString();
  await api.send('PUT', `/segments/SEGMENT_IMPORT/users/${second}`, { expires_at: until, reason: 'before' });
  const before = await members(api, 'SEGMENT_IMPORT');
  const csv = [
    'user_id,expires_at,reason',
    `${first},,`,
    `${second},${hours(900).toISOString()},from the file`,
    `${third},,from the file`,
    `${fourth},yesterday or so,`,
    ',,nobody',
    `${fourth},,from the file`,
    '',
  ].join('\n');
  await open(page, 'SEGMENT_IMPORT', 'members');
  await page.getByRole('button', { name: 'Import' }).click();
  await expect(page).toHaveURL(/act=import/);
  const dialog = page.getByRole('dialog', { name: 'Import members of SEGMENT_IMPORT' });
  await expect(dialog.getByRole('button', { name: 'Try without changes' })).toBeDisabled();
  await isAccessible(page);
  const dropped = await page.evaluateHandle((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], 'people.csv', { type: 'text/csv' }));
    return data;
  }, csv);
  const place = dialog.getByText('or drop a CSV file here');
  await place.dispatchEvent('dragover', { dataTransfer: dropped });
  await place.dispatchEvent('drop', { dataTransfer: dropped });
  await expect(dialog.getByText(/^people\.csv · /)).toBeVisible();
  const preview = dialog.getByRole('table', { name: 'The first rows of the file' });
  await expect(preview.getByRole('columnheader')).toHaveText(['user_id', 'expires_at', 'reason']);
  expect((await cells(preview))[2]).toEqual([third, '', 'from the file']);

  await dialog.getByRole('button', { name: 'Try without changes' }).click();
  const would = dialog.getByRole('region', { name: 'What it would do' });
  await expect(figure(would, 'Added')).toHaveText('2');
  await expect(figure(would, 'Deadline changed')).toHaveText('1');
  const refused = dialog.getByRole('table', { name: 'Refused rows' });
  await expect(refused.getByRole('row')).toHaveCount(3);
  const refusals = await cells(refused);
  expect(refusals.map(([line, column]) => [line, column])).toEqual([
    ['5', 'expires_at'],
    ['6', 'user_id'],
  ]);
  expect(refusals.every(([, , why]) => (why ?? '').length > 5)).toBe(true);
  await isAccessible(page);
  expect(await members(api, 'SEGMENT_IMPORT')).toEqual(before);
  const bad = await downloaded(page, () =>
    dialog.getByRole('button', { name: 'Download refused rows' }).click(),
  );
  expect(bad.text).toContain('yesterday or so');

  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  const did = dialog.getByRole('region', { name: 'What it did' });
  await expect(figure(did, 'Added')).toHaveText('2');
  await expect(dialog.getByText('done', { exact: true })).toBeVisible();
  expect((await ids(api, 'SEGMENT_IMPORT')).sort()).toEqual([first, second, third, fourth].sort());
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Undo' }).click();
  await expect(dialog.getByText('Undo of the import')).toBeVisible();
  await expect(figure(did, 'Removed')).toHaveText('2');
  const { items } = await members(api, 'SEGMENT_IMPORT');
  expect(items.map(({ user_id, expires_at, since }) => ({ user_id, expires_at, since }))).toEqual(
    before.items.map(({ user_id, expires_at, since }) => ({ user_id, expires_at, since })),
  );
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await expect(list(page, 'SEGMENT_IMPORT')).toHaveAttribute('aria-rowcount', '3');
});

test('a file that was saved anew after it was chosen is not sent, and is chosen again', async ({
  page,
  as,
}, info) => {
  const api = await as('root');
  const [first, second] = people(2);
  await api.segment('SEGMENT_SAVED_ANEW');
  const path = info.outputPath('list.csv');
  await writeFile(path, `user_id;reason\n${first};\n`);
  await page.goto('/segments/SEGMENT_SAVED_ANEW?tab=members&act=import');
  const dialog = page.getByRole('dialog', { name: 'Import members of SEGMENT_SAVED_ANEW' });
  const choose = () => dialog.locator('input[type=file]').setInputFiles(path);
  await choose();
  await dialog.getByRole('button', { name: 'Try without changes' }).click();
  const would = dialog.getByRole('region', { name: 'What it would do' });
  await expect(figure(would, 'Added')).toHaveText('1');
  await writeFile(path, `user_id;reason\n${first};\n${second};\n`);
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText('Choose it again');
  expect(await ids(api, 'SEGMENT_SAVED_ANEW')).toEqual([]);
  await choose();
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  await dialog.getByRole('button', { name: 'Try without changes' }).click();
  await expect(figure(would, 'Added')).toHaveText('2');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(figure(dialog.getByRole('region', { name: 'What it did' }), 'Added')).toHaveText('2');
});

test.describe('a file with a bad row', () => {
  test.use({ expected: /status of 400/ });

  test('is refused as a whole when all or nothing is wanted, and replaces all when that is', async ({
    page,
    as,
  }) => {
    const api = await as('root');
    await api.segment('SEGMENT_REPLACE', people(3));
    await page.setViewportSize({ width: 390, height: 844 });
    await open(page, 'SEGMENT_REPLACE', 'members');
    await page.getByRole('button', { name: 'Import' }).click();
    const dialog = page.getByRole('dialog');
    const choose = async (text: string) => {
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        dialog.getByRole('button', { name: /^Choose a/ }).click(),
      ]);
      await chooser.setFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    };
    await choose('id;reason\n1;x\n');
    await expect(dialog.getByRole('alert')).toContainText('no column user_id');
    await choose(`user_id;reason\n${people(1, 5)[0]};\n;x\n`);
    await expect(dialog.getByRole('alert')).toHaveCount(0);
    await dialog.getByLabel('All or nothing').check();
    await dialog.getByRole('button', { name: 'Try without changes' }).click();
    await expect(dialog.getByRole('alert')).toContainText('line 3');
    await expect(dialog.getByRole('alert')).toBeInViewport({ ratio: 0.5 });
    await expect(dialog.getByRole('button', { name: 'Import', exact: true })).toHaveCount(0);
    expect(await ids(api, 'SEGMENT_REPLACE')).toEqual(people(3));
    await fitsWidth(page);
    await isAccessible(page);
    await choose(`user_id;reason\n${people(1, 5)[0]};moved\n${people(1)[0]};moved\n`);
    await expect(dialog.getByRole('alert')).toHaveCount(0);
    await dialog.getByRole('radio', { name: 'Replace all members by them' }).check();
    await dialog.getByRole('button', { name: 'Try without changes' }).click();
    const would = dialog.getByRole('region', { name: 'What it would do' });
    await expect(figure(would, 'Added')).toHaveText('1');
    await expect(figure(would, 'Removed')).toHaveText('2');
    expect(await ids(api, 'SEGMENT_REPLACE')).toEqual(people(3));
    await dialog.getByRole('button', { name: 'Import', exact: true }).click();
    await expect(figure(dialog.getByRole('region', { name: 'What it did' }), 'Removed')).toHaveText('2');
    expect(await ids(api, 'SEGMENT_REPLACE')).toEqual([people(1)[0], people(1, 5)[0]]);
  });
});

test('the members are exported as CSV, as the API has them', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENT_EXPORT', people(25));
  await api.send('PUT', `/segments/SEGMENT_EXPORT/users/${people(1, 30)[0]}`, {
    reason: 'a "friend"; really',
  });
  await open(page, 'SEGMENT_EXPORT', 'members');
  await page.getByRole('button', { name: 'Export' }).click();
  await isAccessible(page);
  const file = await downloaded(page, () => page.getByRole('menuitem', { name: 'CSV' }).click());
  expect(file.name).toMatch(/SEGMENT_EXPORT.*\.csv$/);
  const [head = '', ...lines] = file.text.trim().split(/\r?\n/);
  const column = head.split(';').indexOf('user_id');
  expect(column).toBeGreaterThanOrEqual(0);
  expect(lines.map((line) => line.split(';')[column]?.replaceAll('"', ''))).toEqual(
    await ids(api, 'SEGMENT_EXPORT'),
  );
  expect(file.text).toContain('"a ""friend""; really"');
  // And those alone who were searched for.
  const sought = people(3)[0]?.slice(0, -1) ?? '';
  await page.getByLabel('Find a member').fill(sought);
  await expect(page).toHaveURL(/query=/);
  await page.getByRole('button', { name: 'Export' }).click();
  await expect(page.getByText('Members found, as of now')).toBeVisible();
  const some = await downloaded(page, () => page.getByRole('menuitem', { name: 'CSV' }).click());
  const found = await api.get<{ items: { user_id: string }[] }>(
    `/segments/SEGMENT_EXPORT/users?query=${sought}`,
  );
  const [, ...rows] = some.text.trim().split(/\r?\n/);
  expect(rows.map((line) => line.split(';')[column]?.replaceAll('"', ''))).toEqual(
    found.items.map(({ user_id }) => user_id),
  );
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.length).toBeLessThan(lines.length);
});

test('the history is narrowed in the address, and downloaded as CSV and XLSX as it is narrowed', async ({
  page,
  as,
}) => {
  const api = await as('root');
  const slug = slugOf('SEGMENT_HISTORY');
  await api.segment(slug, people(12));
  const [id = ''] = people(1, 3);
  await api.send('DELETE', `/segments/${slug}/users/${id}?reason=unsubscribed`);
  await open(page, slug, 'history');
  const table = page.getByRole('table', { name: `History of ${slug}` });
  await expect(table.getByRole('row')).toHaveCount(14);
  await page.getByLabel('User', { exact: true }).fill(id);
  await expect(page).toHaveURL(/user_id=/);
  await expect(table.getByRole('row')).toHaveCount(3);
  await expect(table.getByRole('row').nth(1)).toContainText('− removed');
  await expect(table.getByRole('row').nth(1)).toContainText('unsubscribed');
  await expect(table.getByRole('row').nth(2)).toContainText('+ added');
  const { items } = await history(api, slug, `&user_id=${id}`);
  expect(items.map(({ operation }) => operation)).toEqual(['remove', 'add']);
  await page.reload();
  await expect(table.getByRole('row')).toHaveCount(3);
  await expect(page.getByLabel('User', { exact: true })).toHaveValue(id);
  const csv = await downloaded(page, () => page.getByRole('button', { name: 'Download CSV' }).click());
  expect(csv.name).toMatch(/\.csv$/);
  expect(csv.text.trim().split(/\r?\n/).length).toBe(3);
  expect(csv.text).toContain(`${id};${slug};remove;`);
  const xlsx = await downloaded(page, () => page.getByRole('button', { name: 'Download XLSX' }).click());
  expect(xlsx.name).toMatch(/\.xlsx$/);
  expect(xlsx.bytes.subarray(0, 2).toString()).toBe('PK');
  await page.getByLabel('Month, UTC').fill('2001-01');
  await expect(page).toHaveURL(/month=2001-01/);
  await expect(page.getByText('Nothing matches the filters')).toBeVisible();
  await isAccessible(page);
  await page.getByRole('button', { name: 'Clear filters' }).first().click();
  await expect(page).not.toHaveURL(/month=|user_id=/);
  await expect(table.getByRole('row')).toHaveCount(14);
});

test('two instants are compared as the API compares them', async ({ page, as }) => {
  const api = await as('root');
  const { slug, early, late } = await aged(api);
  interface Diff {
    entered: string[];
    left: string[];
  }
  await open(page, slug, 'history');
  await page.getByLabel('From', { exact: true }).fill(field(early));
  await page.getByLabel('To, exclusive').fill(field(late));
  await expect(page).toHaveURL(/from=.*to=|to=.*from=/);
  const query = `from=${early.toISOString()}&to=${late.toISOString()}`;
  const diff = await api.get<Diff>(`/segments/${slug}/users/diff?${query}&limit=1000`);
  expect(diff.entered.length).toBeGreaterThan(0);
  const shown = page.getByRole('region', { name: 'Who came and who went' });
  await expect(shown.getByRole('heading', { name: `Entered: ${number(diff.entered.length)}` })).toBeVisible();
  await expect(shown.getByRole('heading', { name: `Left: ${number(diff.left.length)}` })).toBeVisible();
  const entered = shown.getByRole('list', { name: /^Entered/ });
  expect(await entered.getByRole('listitem').allTextContents()).toEqual(diff.entered);
  const rows = await history(api, slug, `&${query}`);
  await expect(page.getByText(new RegExp(`^${number(Math.min(200, rows.items.length))} rows`))).toBeVisible();
  await isAccessible(page);
  await page.reload();
  await expect(shown.getByRole('heading', { name: `Entered: ${number(diff.entered.length)}` })).toBeVisible();
});

test('who went between two instants of one’s own segment is named', async ({ page, as }) => {
  const api = await as('root');
  const [first = '', second = '', third = ''] = people(3);
  await api.segment('SEGMENT_DIFF', [first, second]);
  const { items } = await members(api, 'SEGMENT_DIFF');
  const from =
    items
      .map(({ since }) => since)
      .sort()
      .at(-1) ?? '';
  await api.send('DELETE', `/segments/SEGMENT_DIFF/users/${first}`);
  await api.send('PUT', `/segments/SEGMENT_DIFF/users/${third}`, {});
  await page.goto(`/segments/SEGMENT_DIFF?tab=history&from=${encodeURIComponent(from)}`);
  await settled(page);
  const shown = page.getByRole('region', { name: 'Who came and who went' });
  await expect(shown.getByRole('list', { name: 'Entered: 1' })).toHaveText(third);
  await expect(shown.getByRole('list', { name: 'Left: 1' })).toHaveText(first);
});

test('segments overlap as the API counts them, and an expression of them becomes a segment', async ({
  page,
  as,
}) => {
  const api = await as('root');
  const slug = slugOf('SEGMENT_ONLY');
  await api.segment('SEGMENT_OVER_A', people(20));
  await api.segment('SEGMENT_OVER_B', people(15, 10));
  await api.segment('SEGMENT_OVER_C', people(5, 15));
  await open(page, 'SEGMENT_OVER_A', 'overlap');
  await expect(page.getByText('Nothing to compare yet')).toBeVisible();
  const choice = page.getByRole('combobox', { name: /^SEGMENT_OVER_A and others/ });
  for (const other of ['SEGMENT_OVER_B', 'SEGMENT_OVER_C']) {
    await choice.fill(other);
    await page.getByRole('option', { name: other }).click();
    await expect(page).toHaveURL(new RegExp(`with=.*${other}`));
  }
  await page.keyboard.press('Escape');
  const slugs = ['SEGMENT_OVER_A', 'SEGMENT_OVER_B', 'SEGMENT_OVER_C'];
  const overlap = await api.post<Overlap>('/segments/overlap', { slugs });
  const counted = Object.fromEntries(
    overlap.intersections.map(({ segments, user_count }) => [segments.join(' '), user_count]),
  );
  expect(counted).toEqual({
    SEGMENT_OVER_A: 10,
    SEGMENT_OVER_B: 5,
    'SEGMENT_OVER_A SEGMENT_OVER_B': 5,
    'SEGMENT_OVER_A SEGMENT_OVER_B SEGMENT_OVER_C': 5,
  });
  const plot = page.getByRole('region', { name: 'Intersections' });
  const only = 'SEGMENT_OVER_A - (SEGMENT_OVER_B | SEGMENT_OVER_C)';
  for (const [expression, users] of [
    [only, 10],
    ['SEGMENT_OVER_B - (SEGMENT_OVER_A | SEGMENT_OVER_C)', 5],
    ['(SEGMENT_OVER_A & SEGMENT_OVER_B) - SEGMENT_OVER_C', 5],
    ['SEGMENT_OVER_A & SEGMENT_OVER_B & SEGMENT_OVER_C', 5],
  ] as const) {
    const name = `${expression}: ${users} users. Take as expression`;
    await expect(plot.getByRole('button', { name, exact: true })).toBeVisible();
  }
  await expect(plot.getByRole('button', { name: /Take as expression/ })).toHaveCount(4);
  await isAccessible(page);
  await page.reload();
  await plot.getByRole('button', { name: 'Show as table' }).click();
  await expect(plot.getByRole('table', { name: 'Intersections' }).getByRole('row')).toHaveCount(5);
  const csv = await downloaded(page, () => plot.getByRole('button', { name: 'Save as CSV' }).click());
  expect(csv.text.trim().split(/\r?\n/)).toContain('1;0;0;10');
  await plot.getByRole('button', { name: 'Show as plot' }).click();
  const alike = page.getByRole('table', { name: 'Likeness (Jaccard)' });
  const jaccard = overlap.jaccard[0]?.map((share) => percent(share * 100)) ?? [];
  await expect(alike.getByRole('row').nth(1).getByRole('cell')).toHaveText(jaccard);

  await plot.getByRole('button', { name: `${only}: 10 users. Take as expression` }).click();
  const field = page.getByLabel('Combination of segments');
  await expect(field).toHaveValue(only);
  await expect(page.getByRole('status').filter({ hasText: '10 users' })).toBeVisible();
  await page.getByRole('button', { name: 'Save as segment' }).click();
  const dialog = page.getByRole('dialog', { name: 'Save as segment' });
  await dialog.getByLabel('Slug').fill(slug);
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { level: 1, name: slug })).toBeVisible();
  expect(await ids(api, slug)).toEqual(people(10));
});

test.describe('an expression that cannot be', () => {
  test.use({ expected: /status of (400|404|409|422)/ });

  test('is told under its field, and a taken slug is not saved over', async ({ page, as }) => {
    const api = await as('root');
    await api.segment('SEGMENT_EXPR', people(4));
    await open(page, 'SEGMENT_EXPR', 'overlap');
    const field = page.getByLabel('Combination of segments');
    for (const wrong of ['SEGMENT_EXPR & (', 'SEGMENT_EXPR | SEGMENT_NOWHERE']) {
      await field.fill(wrong);
      await expect(field).toHaveAttribute('aria-invalid', 'true');
      await expect(page.getByRole('button', { name: 'Save as segment' })).toBeDisabled();
    }
    await isAccessible(page);
    await field.fill('ALL - SEGMENT_EXPR');
    const { user_count: count } = await api.post<{ user_count: number }>('/segments/algebra', {
      expr: 'ALL - SEGMENT_EXPR',
      return: 'count',
    });
    await expect(page.getByRole('status').filter({ hasText: `${number(count)} users` })).toBeVisible();
    await page.getByRole('button', { name: 'Save as segment' }).click();
    const dialog = page.getByRole('dialog', { name: 'Save as segment' });
    const slug = dialog.getByLabel('Slug');
    await slug.fill('SEGMENT_EXPR');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(slug).toHaveAttribute('aria-invalid', 'true');
    expect(await ids(api, 'SEGMENT_EXPR')).toEqual(people(4));
  });
});

test('a name is changed, kept while one looks elsewhere, and the address of the tab survives', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await api.segment('SEGMENT_NAME', people(2));
  await open(page, 'SEGMENT_NAME');
  await page.getByRole('tab', { name: 'Settings' }).click();
  await expect(page).toHaveURL(/tab=settings/);
  const name = page.getByLabel('Name', { exact: true });
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeDisabled();
  await name.fill('People of autumn');
  await expect(page.getByText('Not saved yet')).toBeVisible();
  await page.getByRole('tab', { name: 'Members' }).click();
  await page.getByRole('tab', { name: 'Settings' }).click();
  await expect(name).toHaveValue('People of autumn');
  await isAccessible(page);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(told(page, 'SEGMENT_NAME was saved.')).toBeVisible();
  await expect(page.getByRole('main').getByText('People of autumn', { exact: true })).toBeVisible();
  expect((await segment(api, 'SEGMENT_NAME')).name).toBe('People of autumn');
  await page.reload();
  await expect(name).toHaveValue('People of autumn');
  await name.fill('Another');
  await page.getByRole('button', { name: 'Discard changes' }).click();
  await expect(name).toHaveValue('People of autumn');
});

test('who enters stays as long as the default term says', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENT_TERM', people(1));
  await open(page, 'SEGMENT_TERM', 'settings');
  await page.getByLabel('Default term').fill('P30D');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(told(page, 'SEGMENT_TERM was saved.')).toBeVisible();
  expect((await segment(api, 'SEGMENT_TERM')).default_ttl).toBe('P30D');
  await page.getByRole('tab', { name: 'Members' }).click();
  await page.getByRole('button', { name: 'Add a user' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('stays as long as the segment says: P30D');
  const [id = ''] = people(1, 1);
  await dialog.getByLabel('User id').fill(id);
  await page.getByRole('option', { name: id, exact: true }).click();
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await expect(told(page, `User ${id} was added`)).toBeVisible();
  const { items } = await members(api, 'SEGMENT_TERM');
  const days = (one: Member | undefined) =>
    one?.expires_at && (Date.parse(one.expires_at) - Date.parse(one.since)) / 86_400_000;
  expect(days(items.find(({ user_id }) => user_id === id))).toBeCloseTo(30, 3);
  expect(days(items.find(({ user_id }) => user_id !== id))).toBe(null);
});

test.describe('another was quicker', () => {
  test.use({ expected: /status of (400|409|412|422)/ });

  async function typed(page: Page, api: Api, slug: string): Promise<Locator> {
    await api.segment(slug, people(2));
    await patch(api, slug, { name: 'First', description: 'As it was' });
    await open(page, slug, 'settings');
    await page.getByLabel('Name', { exact: true }).fill('Mine');
    await patch(api, slug, { name: 'Theirs', description: 'As they want it' });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Somebody changed the segment meanwhile' });
    const rows = dialog.getByRole('row');
    await expect(rows.nth(1)).toContainText(/Name\s*differs\s*Mine\s*Theirs/);
    // What I left alone is theirs in both.
    await expect(rows.nth(2).getByRole('cell')).toHaveText(['As they want it', 'As they want it']);
    expect((await segment(api, slug)).name).toBe('Theirs');
    return dialog;
  }

  test('and what is there is taken', async ({ page, as }) => {
    const api = await as('root');
    const dialog = await typed(page, api, 'SEGMENT_THEIRS');
    await isAccessible(page);
    await dialog.getByRole('button', { name: 'Take what is there' }).click();
    await expect(dialog).toHaveCount(0);
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Theirs');
    await expect(page.getByLabel('Description')).toHaveValue('As they want it');
    expect(await segment(api, 'SEGMENT_THEIRS')).toMatchObject({
      name: 'Theirs',
      description: 'As they want it',
    });
  });

  test('and mine is saved over it, in the field that I changed', async ({ page, as }) => {
    const api = await as('root');
    await page.setViewportSize({ width: 390, height: 844 });
    const dialog = await typed(page, api, 'SEGMENT_MINE');
    await fitsWidth(page);
    await isAccessible(page);
    await dialog.getByRole('button', { name: 'Save yours over it' }).click();
    await expect(told(page, 'SEGMENT_MINE was saved.')).toBeVisible();
    await expect(dialog).toHaveCount(0);
    expect(await segment(api, 'SEGMENT_MINE')).toMatchObject({
      name: 'Mine',
      description: 'As they want it',
    });
  });

  test('and again before mine was saved: one is asked once more', async ({ page, as }) => {
    const api = await as('root');
    const dialog = await typed(page, api, 'SEGMENT_AGAIN');
    await patch(api, 'SEGMENT_AGAIN', { name: 'Theirs again' });
    await dialog.getByRole('button', { name: 'Save yours over it' }).click();
    await expect(dialog.getByRole('row').nth(1)).toContainText(/Mine\s*Theirs again/);
    expect((await segment(api, 'SEGMENT_AGAIN')).name).toBe('Theirs again');
    await dialog.getByRole('button', { name: 'Go on editing' }).click();
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Mine');
  });

  test('and what cannot be is told at its field', async ({ page, as }) => {
    const api = await as('root');
    await api.segment('SEGMENT_FAULT');
    await open(page, 'SEGMENT_FAULT', 'settings');
    await page.getByLabel('Default term').fill('a while');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByLabel('Default term')).toHaveAttribute('aria-invalid', 'true');
    await isAccessible(page);
    expect((await segment(api, 'SEGMENT_FAULT')).default_ttl).toBe(null);
  });

  test('and the segment is renamed only to a slug that is free', async ({ page, as }) => {
    const api = await as('root');
    const slug = slugOf('SEGMENT_RENAMED');
    await api.segment('SEGMENT_RENAME', people(3));
    await api.segment('SEGMENT_RENAME_TAKEN');
    await open(page, 'SEGMENT_RENAME', 'settings');
    const panel = page.getByRole('region', { name: 'Rename', exact: true });
    const field = panel.getByLabel('New slug');
    await field.fill('SEGMENT_RENAME_TAKEN');
    await panel.getByRole('button', { name: 'Rename' }).click();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await field.fill(slug);
    await panel.getByRole('button', { name: 'Rename' }).click();
    await expect(page.getByRole('heading', { level: 1, name: slug })).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`/segments/${slug}\\?tab=settings`));
    await expect(told(page, `SEGMENT_RENAME is now called ${slug}.`)).toBeVisible();
    expect(await status(page, 'SEGMENT_RENAME')).toBe(404);
    expect(await ids(api, slug)).toEqual(people(3));
  });
});

test('a segment is copied from its settings', async ({ page, as }) => {
  const api = await as('root');
  const slug = slugOf('SEGMENT_COPIED');
  await api.segment('SEGMENT_COPY', people(5));
  await open(page, 'SEGMENT_COPY', 'settings');
  const panel = page.getByRole('region', { name: 'Copy', exact: true });
  await panel.getByLabel('Slug of the copy').fill(slug);
  await panel.getByRole('button', { name: 'Copy…' }).click();
  const dialog = page.getByRole('dialog', { name: `Copy SEGMENT_COPY to ${slug}?` });
  await expect(dialog).toContainText('5 users will be in the copy.');
  await dialog.getByRole('button', { name: 'Make the copy' }).click();
  await expect(page.getByRole('heading', { level: 1, name: slug })).toBeVisible();
  expect(await ids(api, slug)).toEqual(people(5));
});

test('a segment is deleted when its slug is typed, after it is said how many lose it', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await api.segment('SEGMENT_DELETE', people(9));
  await open(page, 'SEGMENT_DELETE', 'settings');
  await page.getByRole('button', { name: 'Delete…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete SEGMENT_DELETE?' });
  await expect(dialog).toContainText('9 users lose the segment.');
  const act = dialog.getByRole('button', { name: 'Delete the segment' });
  await expect(act).toBeDisabled();
  await dialog.getByLabel('Type SEGMENT_DELETE to confirm').fill('SEGMENT_DELET');
  await expect(act).toBeDisabled();
  await dialog.getByLabel('Type SEGMENT_DELETE to confirm').fill('SEGMENT_DELETE');
  await isAccessible(page);
  expect(await status(page, 'SEGMENT_DELETE')).toBe(200);
  await act.click();
  await expect(page).toHaveURL(/\/segments$/);
  await expect(told(page, 'SEGMENT_DELETE was deleted.')).toBeVisible();
  expect(await status(page, 'SEGMENT_DELETE')).toBe(404);
});

test('who may only look sees all of a segment, and nothing that would change it', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENT_VIEWED', people(4));
  await as('vera');
  await open(page, 'SEGMENT_VIEWED');
  await expect(figure(page.getByRole('region', { name: 'Reach' }), 'Users')).toHaveText('4');
  await expect(page.getByLabel('Share in percent')).toHaveCount(0);
  await page.getByRole('tab', { name: 'Members' }).click();
  await expect(list(page, 'SEGMENT_VIEWED')).toHaveAttribute('aria-rowcount', '5');
  await expect(page.getByRole('button', { name: 'Add a user' })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Import' })).toHaveCount(0);
  await expect(page.getByRole('main').getByRole('checkbox')).toHaveCount(0);
  await page.getByRole('tab', { name: 'History' }).click();
  await expect(page.getByRole('table', { name: 'History of SEGMENT_VIEWED' })).toBeVisible();
  await page.getByRole('tab', { name: 'Settings' }).click();
  await expect(page.getByText('needs the permission segments.manage')).toBeVisible();
  await expect(page.getByRole('main').getByRole('textbox')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Delete…' })).toHaveCount(0);
  await isAccessible(page);
});
