import type { Page } from '@playwright/test';
import { cells, choose, downloaded, field, figure, fresh, hours } from './reading';
import { Api, expect, fitsWidth, isAccessible, settled, test } from './story';

interface Person {
  user_id: string;
  name: string | null;
  email: string | null;
  attributes: Record<string, unknown>;
  version: number;
}

interface Membership {
  slug: string;
  since: string;
  expires_at: string | null;
  source: string;
  actor: string;
  reason: string | null;
}

interface Why {
  is_member: boolean;
  percent: number | null;
  position: number | null;
}

const to = (id: string) => `/users/${encodeURIComponent(id)}`;

/** What these stories gave: whoever is new also joins the shares that others left. */
async function memberships(api: Api, id: string): Promise<Membership[]> {
  const { items } = await api.get<{ items: Membership[] }>(`${to(id)}/memberships`);
  return items.filter(({ slug }) => slug.startsWith('USERS_'));
}

/** The row of a table that has a cell with these words. */
const row = (page: Page, table: string, words: string | RegExp) =>
  page.getByRole('table', { name: table }).getByRole('row').filter({ hasText: words });

test('somebody is found by the beginning of the id, and by a part of the name and of the e-mail', async ({
  page,
  as,
}) => {
  const api = await as('root');
  const id = fresh('sought');
  await api.post('/users', { user_id: id, name: `Zoë Quill of ${id}`, email: `${id}.zoe@example.com` });
  await page.goto('/users');
  await settled(page);
  const search = page.getByRole('searchbox');
  for (const query of [id.slice(0, -1), `quill of ${id}`, `${id}.zoe@exam`]) {
    await search.fill(query);
    await expect(page).toHaveURL((url) => url.searchParams.get('query') === query);
    await expect(row(page, 'Users', id)).toContainText(`Zoë Quill of ${id}`);
    const { items } = await api.get<{ items: Person[] }>(`/users?query=${encodeURIComponent(query)}`);
    await expect(page.getByRole('table', { name: 'Users' }).getByRole('row')).toHaveCount(items.length + 1);
  }
  await page.reload();
  await expect(search).toHaveValue(`${id}.zoe@exam`);
  await page.getByRole('link', { name: id, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: id })).toBeVisible();
  await page.goBack();
  await expect(search).toHaveValue(`${id}.zoe@exam`);
  await search.fill(`${id} nobody`);
  await expect(page.getByText('Nobody found')).toBeVisible();
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await expect(search).toHaveValue('');
  await expect(page.getByRole('link', { name: '12346', exact: true })).toBeVisible();
});

test.describe('a new user', () => {
  test.use({ expected: /status of 409/ });

  test('is made with attributes, and at an id that is taken the page says so and keeps what was typed', async ({
    page,
    as,
  }) => {
    const api = await as('anna');
    const id = fresh('made');
    await page.goto('/users?new=true');
    const dialog = page.getByRole('dialog', { name: 'New user' });
    await dialog.getByRole('textbox', { name: 'User id' }).fill('12346');
    await dialog.getByLabel('Name', { exact: true }).fill('Ada Byron');
    await dialog.getByLabel('E-mail').fill(`${id}@example.com`);
    await dialog.getByRole('button', { name: 'Add an attribute' }).click();
    await dialog.getByLabel('Attribute', { exact: true }).fill('plan');
    await dialog.getByLabel('Value').fill('gold');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(dialog.getByText('Not JSON. Text stands in quotes: "text".')).toBeVisible();
    await isAccessible(page);
    await dialog.getByLabel('Value').fill('"gold"');
    await dialog.getByRole('button', { name: 'Add an attribute' }).click();
    await dialog.getByLabel('Attribute', { exact: true }).nth(1).fill('orders');
    await dialog.getByLabel('Value').nth(1).fill('12');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(dialog).toContainText(/12346.*(exists|taken)|(exists|taken).*12346/i);
    await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue('Ada Byron');
    await isAccessible(page);
    await dialog.getByRole('textbox', { name: 'User id' }).fill(id);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByText(`User ${id} was created`)).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`/users/${id}$`));
    await expect(figure(page, 'Name')).toHaveText('Ada Byron');
    expect(await api.get(to(id))).toMatchObject({
      name: 'Ada Byron',
      email: `${id}@example.com`,
      attributes: { plan: 'gold', orders: 12 },
    });
  });
});

test('an id may have each sign that addresses mean something by', async ({ page, as }) => {
  const api = await as('root');
  const id = fresh('a/b?c=d&#%2F+"é;');
  await api.post('/users', { user_id: id, name: 'Odd Id' });
  await api.segment('USERS_ODD');
  await api.post(`${to(id)}/segments/USERS_ODD`);
  await page.goto('/users');
  await page.getByRole('searchbox').fill(id);
  await page.getByRole('link', { name: id, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: id })).toBeVisible();
  await expect(figure(page, 'Name')).toHaveText('Odd Id');
  await expect(row(page, `Segments of ${id}`, 'USERS_ODD')).toBeVisible();
  await page.getByRole('button', { name: 'Why USERS_ODD?' }).click();
  await expect(page.getByRole('dialog')).toContainText(`${id} has been in USERS_ODD since`);
  await page.reload();
  await expect(page.getByRole('dialog')).toContainText(`${id} has been in USERS_ODD since`);
});

test.describe('a profile that two edit', () => {
  test.use({ expected: /status of 412/ });

  async function edited(page: Page, api: Api, name: string): Promise<string> {
    const id = fresh(name);
    await api.post('/users', {
      user_id: id,
      name: 'As it was',
      attributes: { plan: 'silver', city: 'Bath' },
    });
    await page.goto(`${to(id)}?tab=attributes`);
    await page.getByLabel('Name', { exact: true }).fill('As I want it');
    const another = { name: 'As another wants it', attributes: { plan: 'gold' } };
    await api.send('PATCH', to(id), another, { 'if-match': '*' });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Somebody changed the user meanwhile' });
    await expect(dialog.getByRole('row', { name: /^Name/ })).toContainText('As I want it');
    await expect(dialog.getByRole('row', { name: /^Name/ })).toContainText('As another wants it');
    return id;
  }

  test('is saved over the other only knowingly, and only what was changed', async ({ page, as }) => {
    const api = await as('root');
    const id = await edited(page, api, 'mine');
    await isAccessible(page);
    await page.getByRole('button', { name: 'Save yours over it' }).click();
    await expect(page.getByText(`${id} was saved`)).toBeVisible();
    await expect(figure(page, 'Name')).toHaveText('As I want it');
    expect(await api.get(to(id))).toMatchObject({
      name: 'As I want it',
      attributes: { plan: 'gold', city: 'Bath' },
      version: 3,
    });
  });

  test('can be left as the other made it', async ({ page, as }) => {
    const api = await as('root');
    const id = await edited(page, api, 'theirs');
    await page.getByRole('button', { name: 'Go on editing' }).click();
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('As I want it');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Take what is there' }).click();
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('As another wants it');
    await expect(page.getByText('Not saved yet')).toHaveCount(0);
    expect(await api.get(to(id))).toMatchObject({ name: 'As another wants it', version: 2 });
  });
});

test('attributes are added, changed and taken away, and stay typed over other tabs', async ({ page, as }) => {
  const api = await as('anna');
  const id = fresh('attributes');
  await api.post('/users', { user_id: id, name: 'Kept', attributes: { plan: 'silver', old: true } });
  await page.goto(to(id));
  await page.getByRole('tab', { name: 'Attributes' }).click();
  await expect(page).toHaveURL(/tab=attributes/);
  await page.getByLabel('Value').last().fill('["gold", "early"]');
  await page.getByRole('button', { name: 'Remove the attribute old' }).click();
  await page.getByRole('button', { name: 'Add an attribute' }).click();
  await page.getByLabel('Attribute', { exact: true }).last().fill('plan');
  await page.getByLabel('Value').last().fill('{"in": "Bath"}');
  await expect(page.getByText('This name is there already.')).toBeVisible();
  await page.getByLabel('Attribute', { exact: true }).last().fill('lives');
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByRole('tab', { name: 'Attributes' }).click();
  await expect(page.getByText('Not saved yet')).toBeVisible();
  await isAccessible(page);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText(`${id} was saved`)).toBeVisible();
  const { attributes, name } = await api.get<Person>(to(id));
  expect({ attributes, name }).toEqual({
    name: 'Kept',
    attributes: { plan: ['gold', 'early'], lives: { in: 'Bath' } },
  });
  await page.getByLabel('Name', { exact: true }).fill('not wanted');
  await page.getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Kept');
});

test.describe('a file of users with a bad row', () => {
  test.use({ expected: /status of 400/ });

  test('is tried first, then imported, without its bad rows', async ({ page, as }) => {
    const api = await as('anna');
    const id = fresh('file');
    await api.post('/users', { user_id: `${id}-0`, name: 'Before' });
    const csv = [
      'user_id,name,email,plan,orders',
      `${id}-0,After,,gold,3`,
      `${id}-1,"Lovelace, Ada",ada@example.com,silver,4`,
      `${id}-2,Бабба,,,`,
      `two words,Nobody,,,`,
    ].join('\n');
    await page.goto('/users');
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await expect(page).toHaveURL(/import=true/);
    const dialog = page.getByRole('dialog', { name: 'Import users' });
    await dialog
      .locator('input[type=file]')
      .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await expect(dialog.getByRole('table', { name: 'The first rows of the file' })).toContainText(
      'Lovelace, Ada',
    );
    await dialog.getByRole('button', { name: 'Try without changes' }).click();
    const would = dialog.getByRole('region', { name: 'What it would do' });
    await expect(figure(would, 'Created')).toHaveText('2');
    await expect(figure(would, 'Updated')).toHaveText('1');
    const refused = dialog.getByRole('table', { name: 'Refused rows' });
    await expect(refused.getByRole('row').nth(1)).toContainText(/^5\s*user_id/);
    await isAccessible(page);
    expect(await api.get(to(`${id}-0`))).toMatchObject({ name: 'Before', version: 1 });
    // One bad row is too many when all or nothing is wanted.
    await dialog.getByRole('checkbox', { name: 'All or nothing' }).check();
    await dialog.getByRole('button', { name: 'Try without changes' }).click();
    await expect(dialog.getByRole('alert')).toContainText('line 5');
    await dialog.getByRole('checkbox', { name: 'All or nothing' }).uncheck();
    await dialog.getByRole('button', { name: 'Try without changes' }).click();
    await expect(figure(would, 'Created')).toHaveText('2');
    await dialog.getByRole('button', { name: 'Import', exact: true }).click();
    await expect(figure(dialog.getByRole('region', { name: 'What it did' }), 'Created')).toHaveText('2');
    const file = await downloaded(page, () =>
      dialog.getByRole('button', { name: 'Download refused rows' }).click(),
    );
    expect(file.text).toContain('two words');
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    await page.getByRole('searchbox').fill(id);
    await expect(row(page, 'Users', `${id}-1`)).toContainText('Lovelace, Ada');
    expect(await api.get(to(`${id}-0`))).toMatchObject({ name: 'After', attributes: { plan: 'gold' } });
    expect(await api.get(to(`${id}-2`))).toMatchObject({ name: 'Бабба' });
  });
});

/** Imports one user, and closes the window while the job seems to go on; `end` lets it be over as the service says, or otherwise. */
async function importAndClose(page: Page, id: string) {
  const dialog = page.getByRole('dialog', { name: 'Import users' });
  await dialog.locator('input[type=file]').setInputFiles({
    name: 'people.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`user_id,name\n${id},Goes On\n`),
  });
  await dialog.getByRole('button', { name: 'Try without changes' }).click();
  await expect(figure(dialog.getByRole('region', { name: 'What it would do' }), 'Created')).toHaveText('1');
  let job: object = {};
  const isJob = /\/api\/v1\/jobs\/\d+$/;
  await page.route('**/api/v1/jobs/*/events', (route) => route.abort());
  await page.route(/\/api\/v1\/users\/import$/, async (route) => {
    const response = await route.fetch();
    job = { ...((await response.json()) as object), state: 'running' };
    await route.fulfill({ response, json: job });
  });
  await page.route(isJob, (route) => route.fulfill({ json: job }));
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog.getByText('It goes on if you close this window')).toBeVisible();
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  await expect(dialog).toHaveCount(0);
  return async (otherwise?: object) => {
    if (otherwise) job = { ...job, ...otherwise };
    else await page.unroute(isJob);
  };
}

test.describe('an import whose window is closed', () => {
  // Its stream does not come through, so that it stands where it is held.
  test.use({ expected: /ERR_FAILED.*\/events/ });

  test('goes on, and its end is told and seen in the list', async ({ page, as }) => {
    await as('anna');
    const id = fresh('goes-on');
    // The list shows what was there before, until the end is told.
    let isOver = false;
    let before = '';
    await page.route(new RegExp(`/api/v1/users\\?.*query=${id}`), async (route) => {
      if (!isOver && before !== '') return route.fulfill({ contentType: 'application/json', body: before });
      const response = await route.fetch();
      if (!isOver) before = await response.text();
      return route.fulfill({ response });
    });
    await page.goto(`/users?import=true&query=${id}`);
    const end = await importAndClose(page, id);
    await expect(page.getByText('Nobody found')).toBeVisible();
    isOver = true;
    await end();
    await expect(page.getByRole('alert').filter({ hasText: /Import of users \d+: done/ })).toBeVisible();
    await expect(row(page, 'Users', id)).toContainText('Goes On');
  });

  test('tells why it failed until somebody has read it', async ({ page, as }) => {
    await as('anna');
    await page.goto('/users?import=true');
    const end = await importAndClose(page, fresh('fails'));
    // Wherever they went meanwhile.
    await page.getByRole('link', { name: 'Statistics' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Statistics' })).toBeVisible();
    await end({ state: 'failed', problem: 'the disk is full' });
    const notice = page.getByRole('alert').filter({ hasText: /Import of users \d+: failed/ });
    await expect(notice).toContainText('the disk is full');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await isAccessible(page);
    }
    await page.waitForTimeout(7_000);
    await notice.getByRole('button', { name: 'Close' }).click();
    await expect(notice).toHaveCount(0);
  });
});

test('each segment of somebody is told with its source, actor, reason and deadline', async ({ page, as }) => {
  const api = await as('root');
  const id = fresh('card');
  await api.post('/users', { user_id: id });
  await api.segment('USERS_CARD');
  await api.segment('USERS_CARD_FILE', [id]);
  const end = hours(50);
  await api.post(`${to(id)}/segments/USERS_CARD`, { expires_at: end.toISOString(), reason: 'asked for it' });
  await page.goto(to(id));
  await settled(page);
  const known = await memberships(api, id);
  expect(known.map(({ slug, source, actor, reason }) => ({ slug, source, actor, reason }))).toEqual([
    { slug: 'USERS_CARD', source: 'manual', actor: 'root', reason: 'asked for it' },
    { slug: 'USERS_CARD_FILE', source: 'import', actor: 'root', reason: null },
  ]);
  const table = `Segments of ${id}`;
  const byHand = row(page, table, 'asked for it');
  await expect(byHand).toContainText(/by hand.*root.*asked for it/s);
  await expect(byHand.locator(`time[datetime="${known[0]?.expires_at}"]`)).toBeVisible();
  await expect(row(page, table, 'USERS_CARD_FILE')).toContainText(/no deadline.*by an import.*root/s);
  await isAccessible(page);
  await page.getByRole('link', { name: 'USERS_CARD', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'USERS_CARD' })).toBeVisible();
  await page.goBack();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.reload();
  await expect(row(page, table, 'USERS_CARD_FILE')).toContainText('no deadline');
  await fitsWidth(page);
});

test('somebody is added to a segment until a deadline, and removed again, each with a reason', async ({
  page,
  as,
}) => {
  const api = await as('anna');
  const id = fresh('joins');
  await api.post('/users', { user_id: id });
  await api.segment('USERS_JOIN');
  await page.goto(to(id));
  await page.getByRole('button', { name: 'Add to a segment' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add to a segment' });
  await expect(dialog.getByRole('button', { name: 'Add', exact: true })).toBeDisabled();
  await choose(dialog, 'Segment', 'USERS_JOIN');
  const end = field(hours(30));
  await dialog.getByLabel('Deadline').fill(end);
  await dialog.getByLabel('Reason').fill('a month for free');
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByText(`${id} is in USERS_JOIN now`)).toBeVisible();
  const [joined] = await memberships(api, id);
  expect(joined).toMatchObject({ slug: 'USERS_JOIN', actor: 'anna', reason: 'a month for free' });
  expect(field(new Date(joined?.expires_at ?? 0))).toBe(end);
  const table = `Segments of ${id}`;
  await expect(row(page, table, 'USERS_JOIN')).toContainText('a month for free');
  await page.getByRole('button', { name: 'Remove from USERS_JOIN' }).click();
  const confirm = page.getByRole('dialog', { name: 'Remove from USERS_JOIN' });
  await confirm.getByLabel('Reason').fill('has paid');
  await isAccessible(page);
  await confirm.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText(`${id} is out of USERS_JOIN`)).toBeVisible();
  await expect(row(page, table, 'USERS_JOIN')).toHaveCount(0);
  expect(await memberships(api, id)).toEqual([]);
  await page.getByRole('tab', { name: 'History' }).click();
  await expect(row(page, `History of ${id}`, 'has paid')).toContainText(/USERS_JOIN.*removed.*anna/s);
  await expect(row(page, `History of ${id}`, 'a month for free')).toContainText(/USERS_JOIN.*added.*anna/s);
});

test('why somebody is in a share, or is not, is their position against the threshold', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await api.segment('USERS_WHY');
  await api.send('POST', '/segments/USERS_WHY/distribute', { percent: 37.5 });
  const whys = await Promise.all(
    ['12346', '12347', '12348', '12349', '12350', '12352', '12353', '12354', '12355', '12356'].map(
      async (id) => ({ id, ...(await api.get<Why>(`/users/${id}/segments/USERS_WHY/why`)) }),
    ),
  );
  for (const isMember of [true, false]) {
    const why = whys.find((one) => one.is_member === isMember);
    if (!why) throw new Error('of ten, some are in and some are not');
    await page.goto(`/users/${why.id}?why=USERS_WHY`);
    const dialog = page.getByRole('dialog', { name: `${why.id} and USERS_WHY` });
    const sentence = isMember
      ? `The position ${why.position} % is below the threshold of 37.5 %: inside of the share.`
      : `The position ${why.position} % is not below the threshold of 37.5 %: outside of the share.`;
    await expect(dialog.getByRole('img', { name: sentence })).toBeVisible();
    await expect(dialog).toContainText(
      isMember
        ? /has been in USERS_WHY since .* put in by root, by a share of all users/
        : 'and as far as history tells never was',
    );
    await isAccessible(page);
    await page.keyboard.press('Escape');
    await expect(page).toHaveURL(new RegExp(`/users/${why.id}$`));
  }
  await api.send('DELETE', '/segments/USERS_WHY');
});

test('times in segments are bars, and the same as a table', async ({ page, as }) => {
  const api = await as('root');
  const id = fresh('times');
  for (const slug of ['USERS_BARS', 'USERS_BARS_OPEN']) await api.segment(slug);
  await api.importUsers('USERS_BARS', `user_id,since\n${id},2020-02-03T10:00:00Z`);
  await api.send('DELETE', `${to(id)}/segments/USERS_BARS`);
  const end = hours(240).toISOString();
  await api.post(`${to(id)}/segments/USERS_BARS_OPEN`, { expires_at: end });
  await page.goto(to(id));
  await page.getByRole('tab', { name: 'Timeline' }).click();
  const bars = page.getByRole('list', { name: 'Memberships over time' });
  await expect(bars.getByRole('listitem').filter({ hasText: 'USERS_BARS' })).toHaveCount(2);
  const ended = bars.getByRole('button', { name: /^USERS_BARS: 3 Feb 2020, 10:00.*removed$/ });
  await expect(ended).toBeVisible();
  await expect(bars.getByRole('button', { name: /^USERS_BARS_OPEN: .*goes on; deadline/ })).toBeVisible();
  await isAccessible(page);
  await ended.press('Enter');
  await expect(page).toHaveURL(/why=USERS_BARS$/);
  await expect(page.getByRole('dialog')).toContainText(`${id} has not been in USERS_BARS since`);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Show as table' }).click();
  const table = page.getByRole('table', { name: 'Memberships over time' });
  const told = await cells(table);
  expect(told.filter((one) => one[0]?.startsWith('USERS_BARS'))).toHaveLength(2);
  await expect(table.getByRole('row', { name: /^USERS_BARS 3 Feb 2020/ })).toContainText(
    /no deadline.*removed/s,
  );
  await expect(table.getByRole('row', { name: /^USERS_BARS_OPEN/ })).toContainText('goes on');
  await expect(table.locator(`time[datetime^="${end.slice(0, 16)}"]`)).toBeVisible();
  await isAccessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.reload();
  await expect(ended).toBeVisible();
  await fitsWidth(page);
});

test('the segments that somebody had at an instant are in the address', async ({ page, as }) => {
  const api = await as('root');
  const id = fresh('then');
  await api.segment('USERS_THEN');
  await api.importUsers('USERS_THEN', `user_id,since\n${id},2021-05-06T10:00:00Z`);
  await api.send('DELETE', `${to(id)}/segments/USERS_THEN`);
  await page.goto(to(id));
  await settled(page);
  await expect(row(page, `Segments of ${id}`, 'USERS_THEN')).toHaveCount(0);
  // In summer London is an hour ahead of UTC.
  await page.getByLabel('As of').fill('2021-05-06T11:30');
  await expect(page).toHaveURL((url) => url.searchParams.get('as_of') === '2021-05-06T10:30:00.000Z');
  await expect(row(page, `Segments of ${id}`, 'USERS_THEN')).toContainText('by an import');
  await expect(page.getByRole('button', { name: 'Add to a segment' })).toHaveCount(0);
  await page.reload();
  await expect(row(page, `Segments of ${id}`, 'USERS_THEN')).toBeVisible();
  const known = await api.get(`${to(id)}/memberships?as_of=2021-05-06T10:30:00Z`);
  expect(known).toMatchObject({ items: [{ slug: 'USERS_THEN' }] });
  await page.getByLabel('As of').fill('2021-05-06T10:30');
  await expect(page.getByText('In no segment then')).toBeVisible();
  await page.getByRole('button', { name: 'Now', exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`${id}$`));
  await expect(page.getByText('In no segment then')).toHaveCount(0);
  await expect(row(page, `Segments of ${id}`, 'USERS_THEN')).toHaveCount(0);
});

test('history is narrowed to a month, and saved as the file that the service writes', async ({
  page,
  as,
  shop,
}) => {
  const api = await as('anna');
  const id = fresh('month');
  await api.segment('USERS_MONTH');
  await api.segment('USERS_MONTH_2');
  await api.importUsers('USERS_MONTH', `user_id,since\n${id},2022-03-31T22:30:00Z`);
  await api.importUsers('USERS_MONTH_2', `user_id,since\n${id},2022-04-01T00:30:00Z`);
  await page.goto(`${to(id)}?tab=history`);
  const table = page.getByRole('table', { name: `History of ${id}` });
  const mine = table.getByRole('row').filter({ hasText: 'USERS_MONTH' });
  await expect(mine).toHaveCount(2);
  await page.getByRole('textbox', { name: 'Month' }).fill('2022-03');
  await expect(page).toHaveURL(/month=2022-03/);
  await expect(table.getByRole('row')).toHaveCount(2);
  await page.reload();
  await expect(row(page, `History of ${id}`, 'USERS_MONTH')).toHaveCount(1);
  await isAccessible(page);
  const file = await downloaded(page, () => page.getByRole('button', { name: 'Save as CSV' }).click());
  expect(file.name).toMatch(/\.csv$/);
  const answer = await page.request.get(`${shop.url}/api/v1/history.csv?user_id=${id}&month=2022-03`);
  expect(file.bytes.equals(await answer.body())).toBe(true);
  expect(file.text.trim().split(/\r?\n/)).toHaveLength(2);
  const sheet = await downloaded(page, () => page.getByRole('button', { name: 'Save as XLSX' }).click());
  expect(sheet.bytes.subarray(0, 2).toString()).toBe('PK');
  await page.getByRole('textbox', { name: 'Month' }).fill('2022-05');
  await expect(page.getByText('Nothing happened in this month')).toBeVisible();
  await page.getByRole('button', { name: 'All months' }).first().click();
  await expect(mine).toHaveCount(2);
});

test.describe('whoever wants to be forgotten', () => {
  test.use({ expected: /status of 404/ });

  test('gets all that is kept of them, and is erased when the id is typed', async ({ page, as }) => {
    const api = await as('root');
    const id = fresh('erased');
    await api.post('/users', { user_id: id, name: 'Wants To Go', attributes: { plan: 'gold' } });
    await api.segment('USERS_ERASE');
    await api.post(`${to(id)}/segments/USERS_ERASE`, { reason: `for ${id}` });
    await page.goto(to(id));
    const file = await downloaded(page, () => page.getByRole('button', { name: 'Save all data' }).click());
    expect(file.name).toBe(`${id}.json`);
    expect(JSON.parse(file.text)).toMatchObject({
      user_id: id,
      user: { name: 'Wants To Go', attributes: { plan: 'gold' } },
    });
    const { memberships: kept, history } = JSON.parse(file.text) as Record<string, unknown[]>;
    expect(kept).toContainEqual(expect.objectContaining({ slug: 'USERS_ERASE', reason: `for ${id}` }));
    expect(history).toContainEqual(expect.objectContaining({ segment: 'USERS_ERASE', operation: 'add' }));
    await page.getByRole('button', { name: 'Erase…' }).click();
    const dialog = page.getByRole('dialog', { name: `Erase ${id} for good` });
    const act = dialog.getByRole('button', { name: 'Erase for good' });
    await dialog.getByLabel(`Type ${id} to confirm`).fill(id.slice(0, -1));
    await expect(act).toBeDisabled();
    await isAccessible(page);
    await dialog.getByLabel(`Type ${id} to confirm`).fill(id);
    await act.click();
    await expect(page.getByText('The user was erased')).toBeVisible();
    await expect(page).toHaveURL(/\/users$/);
    expect(await api.get(`/history?user_id=${id}`)).toMatchObject({ items: [] });
    expect(await api.get(`/users?query=${id}`)).toMatchObject({ items: [] });
    const audited = await api.get<{ items: unknown[] }>('/audit?action=user.erased&sort=-id&limit=1');
    expect(audited.items).toHaveLength(1);
    expect(JSON.stringify(audited)).not.toContain(id);
    await page.goto(to(id));
    await expect(page.getByText(`The service does not know ${id}`)).toBeVisible();
    await isAccessible(page);
  });

  test('whoever is deleted keeps a history', async ({ page, as }) => {
    const api = await as('anna');
    const id = fresh('deleted');
    await api.segment('USERS_DELETE', [id]);
    await page.goto(to(id));
    await expect(page.getByRole('button', { name: 'Erase…' })).toHaveCount(0);
    await page.getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog', { name: `Delete ${id}` });
    await dialog.getByLabel(`Type ${id} to confirm`).fill(id);
    await dialog.getByRole('button', { name: 'Delete the user' }).click();
    await expect(page.getByText(`${id} was deleted`)).toBeVisible();
    await page.goto(to(id));
    await expect(page.getByText(`The service does not know ${id}`)).toBeVisible();
    // Others may have taken the user in by a share.
    for (const what of ['added', 'removed']) {
      await expect(row(page, `History of ${id}`, new RegExp(`USERS_DELETE.*${what}`, 's'))).toBeVisible();
    }
    expect(await api.get(`/segments/USERS_DELETE/users`)).toMatchObject({ items: [] });
  });
});

test('a viewer sees who is in which segment, but no names and nothing to change', async ({ page, as }) => {
  const root = await as('root');
  const id = fresh('seen');
  const email = `${id}@example.com`;
  await root.post('/users', {
    user_id: id,
    name: 'Nobody Else’s Name',
    email,
    attributes: { plan: 'secret' },
  });
  await root.segment('USERS_SEEN', [id]);
  await as('vera');
  await page.goto('/users');
  await expect(page.getByRole('table', { name: 'Users' }).getByRole('columnheader')).toHaveText([
    'User id',
    'Created',
  ]);
  await page.getByRole('searchbox', { name: 'Beginning of the id' }).fill(id);
  await expect(page.getByRole('link', { name: id, exact: true })).toBeVisible();
  await page.getByRole('searchbox').fill('Nobody Else');
  await expect(page.getByText('Nobody found')).toBeVisible();
  await page.goto(`${to(id)}?tab=attributes`);
  await expect(page.getByText('Your account does not see names')).toBeVisible();
  await expect(figure(page, 'Name')).toHaveText('hidden from your account');
  await expect(figure(page, 'E-mail')).toHaveText('hidden from your account');
  for (const tab of ['Segments', 'Timeline', 'History']) {
    await page.getByRole('tab', { name: tab }).click();
    await settled(page);
    await expect(page.getByRole('link', { name: 'USERS_SEEN' })).toBeVisible();
    const forbidden = /^(Add to|Remove|Erase|Delete|Save|Import|Export|New user)/;
    await expect(page.getByRole('main').getByRole('button', { name: forbidden }), tab).toHaveCount(0);
    for (const secret of ['Nobody Else', email, 'secret']) {
      await expect(page.getByText(secret)).toHaveCount(0);
    }
  }
  await page.getByRole('tab', { name: 'Segments' }).click();
  await page.getByRole('button', { name: 'Why USERS_SEEN?' }).click();
  await expect(page.getByRole('dialog')).toContainText(`${id} has been in USERS_SEEN since`);
});
