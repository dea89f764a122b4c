import type { Locator, Page } from '@playwright/test';
import { number, slugOf } from './reading';
import { expect, fitsWidth, isAccessible, settled, test, type Api } from './story';

interface Row {
  slug: string;
  name: string;
  kind: string;
  user_count: number;
  percent: number | null;
}

interface Answer {
  items: Row[];
  total: number;
}

interface Segment {
  slug: string;
  name: string;
  description: string;
  kind: string;
  percent: number | null;
  default_ttl: string | null;
  seed: string;
}

const USERS = ['12346', '12347', '12348', '12349', '12350', '12351', '12352', '12353', '12354', '12355'];

const list = (page: Page) => page.getByRole('table', { name: 'Segments' });
const search = (page: Page) => page.getByRole('textbox', { name: 'Search by slug or name' });
/** The row of a segment, in the list or in the answer of the API. */
const row = (page: Page, slug: string) =>
  list(page)
    .getByRole('row')
    .filter({ has: page.getByRole('link', { name: slug, exact: true }) });
const stats = (api: Api, query: string) => api.get<Answer>(`/segments/stats?count=exact&${query}`);
const isThere = async (page: Page, slug: string) =>
  (await page.request.get(`/api/v1/segments/${slug}`)).status() === 200;

/** The list stands as the API answers: the same total, and the same segments in the same order. */
async function isAnswer(page: Page, api: Api, query: string): Promise<Row[]> {
  const { items, total } = await stats(api, query);
  await expect(
    page.getByRole('main').getByText(new RegExp(`^([\\d,]+ of )?${number(total)} rows?\\b`)),
  ).toBeVisible();
  const first = items.slice(0, 12).map(({ slug }) => slug);
  const shown = () => list(page).getByRole('row').getByRole('link').allInnerTexts();
  await expect.poll(async () => (await shown()).slice(0, 12)).toEqual(first);
  return items;
}

/** Does an act of the menu that stands in a segment's row. */
async function actOn(page: Page, slug: string, act: string): Promise<void> {
  await page.getByRole('button', { name: `Actions on ${slug}`, exact: true }).click();
  await page.getByRole('menuitem', { name: act }).click();
}

async function isDeletable(dialog: Locator, word: string, wrong: string): Promise<void> {
  const act = dialog.getByRole('button', { name: 'Delete', exact: true });
  await expect(act).toBeDisabled();
  await dialog.getByLabel(`Type ${word} to confirm`).fill(wrong);
  await expect(act).toBeDisabled();
  await dialog.getByLabel(`Type ${word} to confirm`).fill(word);
  await expect(act).toBeEnabled();
}

test('a search finds segments while one types, by slug and by name, and stays in the address', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await api.segment('SEGMENTS_FIND_A', USERS.slice(0, 3));
  await api.segment('SEGMENTS_FIND_B');
  await api.send('PATCH', '/segments/SEGMENTS_FIND_B', { name: 'Gift cards of autumn' }, { 'if-match': '*' });
  await page.goto('/segments');
  await settled(page);
  await search(page).pressSequentially('segments_find');
  await expect(page).toHaveURL(/query=segments_find/);
  await isAnswer(page, api, 'query=segments_find&sort=slug');
  await expect(row(page, 'SEGMENTS_FIND_A').getByRole('cell', { name: '3', exact: true })).toBeVisible();
  await page.reload();
  await expect(search(page)).toHaveValue('segments_find');
  await isAnswer(page, api, 'query=segments_find&sort=slug');
  await search(page).fill('Gift cards of aut');
  await expect(page).toHaveURL(/query=Gift/);
  await isAnswer(page, api, 'query=Gift%20cards%20of%20aut&sort=slug');
  await expect(row(page, 'SEGMENTS_FIND_B')).toContainText('Gift cards of autumn');
  await search(page).fill('no segment is called so');
  await expect(page.getByText('No segment is like that')).toBeVisible();
  await isAccessible(page);
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await expect(page).not.toHaveURL(/query=/);
  await expect(search(page)).toHaveValue('');
  await isAnswer(page, api, 'sort=slug');
});

test('segments are narrowed by kind, in the address', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENTS_KIND');
  await api.post('/segments/SEGMENTS_KIND/distribute', { percent: 0.5 });
  await page.goto('/segments');
  await settled(page);
  const kind = page.getByRole('combobox', { name: 'Kind' });
  await kind.click();
  await page.getByRole('option', { name: 'percent' }).click();
  await expect(page).toHaveURL(/kind=percent/);
  const items = await isAnswer(page, api, 'kind=percent&sort=slug');
  expect(items.every((one) => one.kind === 'percent')).toBe(true);
  await expect(kind).toHaveValue('percent');
  await search(page).fill('SEGMENTS_KIND');
  await expect(page).toHaveURL(/kind=percent.*query=SEGMENTS_KIND|query=SEGMENTS_KIND.*kind=percent/);
  await expect(row(page, 'SEGMENTS_KIND')).toContainText('percent');
  await page.reload();
  await expect(kind).toHaveValue('percent');
  await isAnswer(page, api, 'kind=percent&query=SEGMENTS_KIND&sort=slug');
  // Once more, and any kind is shown.
  await kind.click();
  await page.getByRole('option', { name: 'percent' }).click();
  await expect(page).not.toHaveURL(/kind=/);
  await expect(kind).toHaveValue('');
});

test('the list is sorted by size as the API sorts it', async ({ page, as }) => {
  const api = await as('root');
  await page.goto('/segments');
  await settled(page);
  const users = list(page).getByRole('columnheader', { name: 'Users' });
  await users.getByRole('button').click();
  await expect(page).toHaveURL(/sort=user_count/);
  await expect(users).toHaveAttribute('aria-sort', 'ascending');
  await isAnswer(page, api, 'sort=user_count');
  await users.getByRole('button').click();
  await expect(page).toHaveURL(/sort=-user_count/);
  await expect(users).toHaveAttribute('aria-sort', 'descending');
  const [largest] = await isAnswer(page, api, 'sort=-user_count');
  await expect(row(page, largest?.slug ?? '')).toContainText(number(largest?.user_count ?? 0));
  await page.reload();
  await isAnswer(page, api, 'sort=-user_count');
  await isAccessible(page);
});

test('a long list comes while one scrolls, and only what is seen of it is drawn', async ({ page, as }) => {
  const api = await as('root');
  const slugs = Array.from({ length: 170 }, (_, place) => `SEGMENTS_LONG_${String(place).padStart(3, '0')}`);
  const csv = { 'content-type': 'text/csv' };
  const job = await api.send<{ id: number }>(
    'POST',
    '/segments/import',
    ['segment', ...slugs].join('\n'),
    csv,
  );
  await api.ended(job.id);
  await page.goto('/segments?query=SEGMENTS_LONG');
  await settled(page);
  await isAnswer(page, api, 'query=SEGMENTS_LONG&sort=slug');
  await expect(list(page)).toHaveAttribute('aria-rowcount', '171');
  const last = row(page, 'SEGMENTS_LONG_169');
  await list(page).focus();
  await expect(async () => {
    await page.keyboard.press('End');
    await expect(last).toBeVisible({ timeout: 300 });
  }).toPass();
  await expect(last).toHaveAttribute('aria-rowindex', '171');
  await expect(page.getByText(/^170 rows/)).toBeVisible();
  expect(await list(page).getByRole('row').count()).toBeLessThan(60);
});

test('the columns that are chosen stay in the address', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENTS_COLUMNS');
  await api.post('/segments/SEGMENTS_COLUMNS/distribute', { percent: 1.25 });
  await page.goto('/segments?query=SEGMENTS_COLUMNS');
  await settled(page);
  const head = (name: string) => list(page).getByRole('columnheader', { name, exact: true });
  await expect(head('Last change')).toBeVisible();
  await expect(head('Percent')).toHaveCount(0);
  await page.getByRole('combobox', { name: 'Columns' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('option', { name: 'Percent' }).click();
  await page.getByRole('option', { name: 'Last change' }).click();
  await isAccessible(page);
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/columns=/);
  for (const act of [async () => {}, () => page.reload()]) {
    await act();
    await expect(head('Percent')).toBeVisible();
    await expect(head('Last change')).toHaveCount(0);
    await expect(row(page, 'SEGMENTS_COLUMNS').getByRole('cell', { name: '1.25%' })).toBeVisible();
  }
  // None at all is a choice too.
  const columns = page.getByRole('combobox', { name: 'Columns' });
  await columns.focus();
  for (let place = 0; place < 8; place += 1) await page.keyboard.press('Backspace');
  await page.keyboard.press('Escape');
  for (const act of [async () => {}, () => page.reload()]) {
    await act();
    await expect(row(page, 'SEGMENTS_COLUMNS')).toBeVisible();
    await expect(list(page).getByRole('columnheader', { name: /^(Kind|Size|Percent)/ })).toHaveCount(0);
  }
});

test('a segment opens from the list, and Back leads to the same filters', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENTS_BACK_A', USERS.slice(0, 4));
  await api.segment('SEGMENTS_BACK_B', USERS.slice(0, 6));
  await page.goto('/segments');
  await settled(page);
  await search(page).fill('SEGMENTS_BACK');
  await list(page).getByRole('button', { name: 'Users' }).click();
  await expect(page).toHaveURL(/sort=user_count/);
  await row(page, 'SEGMENTS_BACK_B').getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1, name: 'SEGMENTS_BACK_B' })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/query=SEGMENTS_BACK/);
  await expect(page).toHaveURL(/sort=user_count/);
  await expect(search(page)).toHaveValue('SEGMENTS_BACK');
  await isAnswer(page, api, 'query=SEGMENTS_BACK&sort=user_count');
});

test.describe('a slug that cannot be', () => {
  test.use({ expected: /status of (400|409|422)/ });

  test('is refused at its field, and one that can be makes a segment', async ({ page, as }) => {
    const api = await as('root');
    const slug = slugOf('SEGMENTS_NEW');
    await api.segment('SEGMENTS_TAKEN');
    await page.goto('/segments');
    await settled(page);
    await page.getByRole('button', { name: 'New segment' }).click();
    await expect(page).toHaveURL(/new=true/);
    const dialog = page.getByRole('dialog', { name: 'New segment' });
    const field = dialog.getByLabel('Slug', { exact: false }).first();
    await expect(field).toBeFocused();
    await field.fill('two words');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(/A–Z.*characters|A-Z|letters/i);
    await isAccessible(page);
    await field.fill('SEGMENTS_TAKEN');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(field).toHaveAccessibleDescription(/taken|already|exists/i);
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await field.fill(slug);
    await dialog.getByLabel('Name').fill('Friends of the house');
    await dialog.getByLabel('Description').fill('Made by hand');
    await dialog.getByLabel('Give to a share of all users, %').fill('2.5');
    await dialog.getByLabel('Members stay for').fill('P30D');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('heading', { level: 1, name: slug })).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`/segments/${slug}$`));
    await expect(page.getByText(`${slug} was created`)).toBeVisible();
    expect(await api.get<Segment>(`/segments/${slug}`)).toMatchObject({
      slug,
      name: 'Friends of the house',
      description: 'Made by hand',
      kind: 'percent',
      percent: 2.5,
      default_ttl: 'P30D',
    });
    const { total_users: all } = await api.get<{ total_users: number }>(`/segments/${slug}/distribute`);
    expect(await api.size(slug)).toBe(Math.round((all * 2.5) / 100));
    await page.goBack();
    await expect(list(page)).toBeVisible();
  });
});

test('one selected segment is deleted only when its slug is typed, and the users are counted before', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await api.segment('SEGMENTS_DELETE', USERS.slice(0, 7));
  await page.goto('/segments?query=SEGMENTS_DELETE');
  await settled(page);
  await page.getByRole('checkbox', { name: 'Select SEGMENTS_DELETE', exact: true }).check();
  await expect(page.getByText('1 selected')).toBeVisible();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete SEGMENTS_DELETE?' });
  await expect(dialog).toContainText('7 memberships end.');
  await isDeletable(dialog, 'SEGMENTS_DELETE', 'segments_delete');
  await isAccessible(page);
  expect(await api.size('SEGMENTS_DELETE')).toBe(7);
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('1 segment was deleted')).toBeVisible();
  await expect(page.getByText('No segment is like that')).toBeVisible();
  expect(await isThere(page, 'SEGMENTS_DELETE')).toBe(false);
  const { items } = await api.get<{ items: { operation: string }[] }>(
    '/history?segment=SEGMENTS_DELETE&sort=-timestamp&limit=7',
  );
  expect(items.map(({ operation }) => operation)).toEqual(Array(7).fill('remove'));
});

test('several selected segments are deleted at once, and the others stay', async ({ page, as }) => {
  const api = await as('root');
  for (const [slug, count] of [
    ['A', 2],
    ['B', 3],
    ['C', 5],
  ] as const) {
    await api.segment(`SEGMENTS_MANY_${slug}`, USERS.slice(0, count));
  }
  await page.goto('/segments?query=SEGMENTS_MANY');
  await settled(page);
  await page.getByRole('checkbox', { name: 'Select all that are loaded' }).check();
  await expect(page.getByText('3 selected')).toBeVisible();
  await page.getByRole('checkbox', { name: 'Select SEGMENTS_MANY_B', exact: true }).uncheck();
  await expect(page.getByText('2 selected')).toBeVisible();
  await isAccessible(page);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete 2 segments?' });
  await expect(dialog.getByRole('listitem')).toHaveText(['SEGMENTS_MANY_A: 2', 'SEGMENTS_MANY_C: 5']);
  await expect(dialog).toContainText('7 memberships end.');
  await isDeletable(dialog, 'delete 2', 'delete');
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('2 segments were deleted')).toBeVisible();
  await expect(row(page, 'SEGMENTS_MANY_A')).toHaveCount(0);
  await expect(row(page, 'SEGMENTS_MANY_B')).toBeVisible();
  await expect(page.getByText('2 selected')).toHaveCount(0);
  expect(await isThere(page, 'SEGMENTS_MANY_A')).toBe(false);
  expect(await isThere(page, 'SEGMENTS_MANY_C')).toBe(false);
  expect(await api.size('SEGMENTS_MANY_B')).toBe(3);
});

test.describe('of several', () => {
  test.use({ expected: /status of 404/ });

  test('one that somebody else deleted meanwhile does not keep the others', async ({ page, as }) => {
    const api = await as('root');
    for (const letter of ['A', 'B', 'C']) await api.segment(`SEGMENTS_MEANWHILE_${letter}`);
    await page.goto('/segments?query=SEGMENTS_MEANWHILE');
    await settled(page);
    await page.getByRole('checkbox', { name: 'Select all that are loaded' }).check();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete 3 segments?' });
    await expect(dialog.getByRole('listitem')).toHaveCount(3);
    await api.send('DELETE', '/segments/SEGMENTS_MEANWHILE_B');
    await isDeletable(dialog, 'delete 3', 'delete');
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(dialog).toHaveCount(0);
    await expect(row(page, 'SEGMENTS_MEANWHILE_C')).toHaveCount(0);
    await expect(page.getByText(/selected/)).toHaveCount(0);
    for (const letter of ['A', 'B', 'C'])
      expect(await isThere(page, `SEGMENTS_MEANWHILE_${letter}`)).toBe(false);
  });
});

test('a share that ends with a zero is a share', async ({ page, as }) => {
  const api = await as('root');
  const slug = slugOf('SEGMENTS_SHARE');
  await page.goto('/segments?new=true');
  const dialog = page.getByRole('dialog', { name: 'New segment' });
  await dialog.getByLabel('Slug').fill(slug);
  await dialog.getByLabel('Give to a share of all users, %').pressSequentially('12.50');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: slug })).toBeVisible();
  expect(await api.get(`/segments/${slug}`)).toMatchObject({ percent: 12.5 });
});

test('who may not manage segments sees them without what would change them', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENTS_VIEWED', USERS.slice(0, 2));
  await as('vera');
  await page.goto('/segments?query=SEGMENTS_VIEWED&new=true');
  await settled(page);
  await expect(row(page, 'SEGMENTS_VIEWED')).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'New segment' })).toHaveCount(0);
  await expect(page.getByRole('main').getByRole('checkbox')).toHaveCount(0);
  await expect(page.getByRole('button', { name: /^Actions on/ })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Delete' })).toHaveCount(0);
  await row(page, 'SEGMENTS_VIEWED').getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1, name: 'SEGMENTS_VIEWED' })).toBeVisible();
});

test('the list fits a phone, with its menu and its dialogs', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('SEGMENTS_PHONE_WITH_A_SLUG_THAT_IS_LONGER_THAN_A_PHONE_IS_WIDE', USERS.slice(0, 2));
  const slug = 'SEGMENTS_PHONE_WITH_A_SLUG_THAT_IS_LONGER_THAN_A_PHONE_IS_WIDE';
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/segments?query=SEGMENTS_PHONE');
  await settled(page);
  await fitsWidth(page);
  await page.getByRole('button', { name: `Actions on ${slug}` }).click();
  await expect(page.getByRole('menuitem', { name: 'Delete…' })).toBeVisible();
  await fitsWidth(page);
  await isAccessible(page);
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await expect(page.getByRole('dialog')).toContainText('2 memberships end.');
  await fitsWidth(page);
  await isAccessible(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('button', { name: `Actions on ${slug}` })).toBeFocused();
});

test.describe('from its row', () => {
  test.use({ expected: /status of (400|409|422)/ });

  test('a segment is renamed, with its members, and a taken slug is told', async ({ page, as }) => {
    const api = await as('root');
    const slug = slugOf('SEGMENTS_RENAMED');
    await api.segment('SEGMENTS_RENAME', USERS.slice(0, 4));
    await api.segment('SEGMENTS_RENAME_TAKEN');
    const before = await api.get<Segment>('/segments/SEGMENTS_RENAME');
    await page.goto('/segments?query=SEGMENTS_RENAME');
    await settled(page);
    await actOn(page, 'SEGMENTS_RENAME', 'Rename…');
    const dialog = page.getByRole('dialog', { name: 'Rename SEGMENTS_RENAME' });
    const field = dialog.getByLabel('New slug');
    await expect(field).toBeFocused();
    await expect(dialog.getByRole('button', { name: 'Rename' })).toBeDisabled();
    await isAccessible(page);
    await field.fill('SEGMENTS_RENAME_TAKEN');
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(dialog.getByText(/taken|already|exists/i)).toHaveCount(1);
    await field.fill(slug);
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await expect(page.getByText(`SEGMENTS_RENAME is now called ${slug}.`)).toBeVisible();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(row(page, slug)).toBeVisible();
    await expect(row(page, 'SEGMENTS_RENAME')).toHaveCount(0);
    await expect(page).toHaveURL(/\/segments\?query=SEGMENTS_RENAME/);
    expect(await isThere(page, 'SEGMENTS_RENAME')).toBe(false);
    expect(await api.size(slug)).toBe(4);
    expect((await api.get<Segment>(`/segments/${slug}`)).seed).toBe(before.seed);
  });

  test('a segment is copied, with its members or without', async ({ page, as }) => {
    const api = await as('root');
    await api.segment('SEGMENTS_COPY', USERS.slice(0, 6));
    await api.send(
      'PATCH',
      '/segments/SEGMENTS_COPY',
      { description: 'The first', default_ttl: 'P10D' },
      { 'if-match': '*' },
    );
    for (const withMembers of [true, false]) {
      const slug = slugOf(withMembers ? 'SEGMENTS_COPIED' : 'SEGMENTS_EMPTY');
      await page.goto('/segments?query=SEGMENTS_COPY');
      await settled(page);
      await actOn(page, 'SEGMENTS_COPY', 'Copy…');
      const dialog = page.getByRole('dialog', { name: 'Copy SEGMENTS_COPY', exact: true });
      const field = dialog.getByLabel('Slug of the copy');
      await expect(field).toBeFocused();
      await field.fill('SEGMENTS_COPY');
      await dialog.getByRole('button', { name: 'Copy…' }).click();
      await expect(field).toHaveAttribute('aria-invalid', 'true');
      await expect(dialog.getByText(/taken|already|exists/i)).toHaveCount(1);
      await field.fill(slug);
      if (!withMembers) await dialog.getByLabel('Take the members along').uncheck();
      await isAccessible(page);
      await dialog.getByRole('button', { name: 'Copy…' }).click();
      const question = page.getByRole('dialog', { name: `Copy SEGMENTS_COPY to ${slug}?` });
      await expect(question).toContainText(`${withMembers ? 6 : 0} users will be in the copy.`);
      expect(await isThere(page, slug)).toBe(false);
      await question.getByRole('button', { name: 'Make the copy' }).click();
      await expect(page.getByRole('heading', { level: 1, name: slug })).toBeVisible();
      expect(await api.size(slug)).toBe(withMembers ? 6 : 0);
      expect(await api.get<Segment>(`/segments/${slug}`)).toMatchObject({
        description: 'The first',
        default_ttl: 'P10D',
      });
    }
    expect(await api.size('SEGMENTS_COPY')).toBe(6);
  });

  test('a segment is deleted when its slug is typed', async ({ page, as }) => {
    const api = await as('root');
    await api.segment('SEGMENTS_ROW', USERS.slice(0, 5));
    await api.segment('SEGMENTS_ROW_STAYS', USERS.slice(0, 1));
    await page.goto('/segments?query=SEGMENTS_ROW');
    await settled(page);
    await actOn(page, 'SEGMENTS_ROW', 'Delete…');
    const dialog = page.getByRole('dialog', { name: 'Delete SEGMENTS_ROW?' });
    await expect(dialog).toContainText('5 memberships end.');
    await isDeletable(dialog, 'SEGMENTS_ROW', 'SEGMENTS_RO');
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(page.getByText('1 segment was deleted')).toBeVisible();
    await expect(row(page, 'SEGMENTS_ROW')).toHaveCount(0);
    await expect(row(page, 'SEGMENTS_ROW_STAYS')).toBeVisible();
    expect(await isThere(page, 'SEGMENTS_ROW')).toBe(false);
    expect(await api.size('SEGMENTS_ROW_STAYS')).toBe(1);
  });
});
