import type { Page } from '@playwright/test';
import { cells, choose, figure, number, percent } from './reading';
import { expect, fitsWidth, isAccessible, settled, test, type Api } from './story';

interface Reach {
  user_count: number;
  total_users: number;
  percent: number;
}

interface Distributed extends Reach {
  added: number;
  removed: number;
}

const reach = (api: Api, slug: string) => api.get<Reach>(`/segments/${slug}/distribute`);
const preview = (page: Page) => page.getByRole('status', { name: 'What it would change' });

/** What the page shows before the act is what a rehearsal of the service says. */
async function isRehearsed(page: Page, api: Api, slug: string, share: number): Promise<Distributed> {
  const told = await api.post<Distributed>(`/segments/${slug}/distribute?dry_run=true`, { percent: share });
  await expect(figure(preview(page), 'Enter')).toHaveText(`+${number(told.added)}`);
  await expect(figure(preview(page), 'Leave')).toHaveText(`−${number(told.removed)}`);
  await expect(figure(preview(page), 'Members afterwards')).toHaveText(number(told.user_count));
  await expect(figure(preview(page), 'Share of all afterwards')).toHaveText(percent(told.percent));
  return told;
}

test('a segment is given to a share of all users, and has as many members as were foretold', async ({
  page,
  as,
}) => {
  const api = await as('anna');
  await api.segment('DISTRIBUTE_SHARE');
  await page.goto('/distribution');
  await expect(page.getByText('Choose a segment')).toBeVisible();
  await choose(page, 'Segment', 'DISTRIBUTE_SHARE');
  await expect(page).toHaveURL(/segment=DISTRIBUTE_SHARE/);
  const now = page.getByRole('region', { name: 'Now', exact: true });
  await expect(figure(now, 'Members')).toHaveText('0');
  await page.getByLabel('Share in percent').fill('12.3456');
  await expect(page).toHaveURL(/percent=12\.3456/);
  const told = await isRehearsed(page, api, 'DISTRIBUTE_SHARE', 12.3456);
  expect(told.added).toBeGreaterThan(0);
  expect(await api.size('DISTRIBUTE_SHARE')).toBe(0);
  await isAccessible(page);
  await page.reload();
  await isRehearsed(page, api, 'DISTRIBUTE_SHARE', 12.3456);
  await page.getByRole('button', { name: 'Give to 12.3456%' }).click();
  const notice = page
    .getByRole('alert')
    .filter({ hasText: `DISTRIBUTE_SHARE: ${number(told.added)} entered, 0 left` });
  await notice.getByRole('button', { name: 'Close' }).click();
  await expect(figure(now, 'Members')).toHaveText(number(told.user_count));
  expect(await api.size('DISTRIBUTE_SHARE')).toBe(told.user_count);
  const { total_users: all } = await reach(api, 'DISTRIBUTE_SHARE');
  await expect(figure(now, 'All users')).toHaveText(number(all));
  await expect(page.getByText('Nobody would enter or leave')).toBeVisible();
  // A smaller share lets somebody go, so it is asked first.
  await page.getByLabel('Share in percent').fill('5');
  await expect(page).toHaveURL(/percent=5$/);
  const less = await isRehearsed(page, api, 'DISTRIBUTE_SHARE', 5);
  await page.getByRole('button', { name: 'Give to 5%' }).click();
  const dialog = page.getByRole('dialog', { name: 'Give DISTRIBUTE_SHARE to 5% of all users' });
  await expect(dialog).toContainText(`${number(less.removed)} users leave the segment`);
  await expect(dialog).toContainText(`Afterwards it has ${number(less.user_count)} members.`);
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await api.size('DISTRIBUTE_SHARE')).toBe(told.user_count);
  await page.getByRole('button', { name: 'Give to 5%' }).click();
  await dialog.getByRole('button', { name: 'Give to 5%' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(figure(now, 'Members')).toHaveText(number(less.user_count));
  expect(await api.size('DISTRIBUTE_SHARE')).toBe(less.user_count);
  // Whoever is new would join it, in other stories too.
  await api.send('DELETE', '/segments/DISTRIBUTE_SHARE');
});

test('the share is also set by the slider, from the keyboard, and members by hand stay', async ({
  page,
  as,
}) => {
  const api = await as('anna');
  await api.segment('DISTRIBUTE_HAND', ['12346', '12347', '12348']);
  await page.goto('/distribution?segment=DISTRIBUTE_HAND');
  const slider = page.getByRole('slider');
  await slider.press('End');
  await expect(page.getByLabel('Share in percent')).toHaveValue('100 %');
  await expect(page).toHaveURL(/percent=100$/);
  await isRehearsed(page, api, 'DISTRIBUTE_HAND', 100);
  await slider.press('Home');
  await expect(page).toHaveURL(/percent=0$/);
  const none = await isRehearsed(page, api, 'DISTRIBUTE_HAND', 0);
  expect(none.user_count).toBe(3);
  await slider.press('ArrowRight');
  await expect(page).toHaveURL(/percent=0\.1$/);
  await isRehearsed(page, api, 'DISTRIBUTE_HAND', 0.1);
});

test('two segments are compared by their shares and by what they have in common', async ({ page, as }) => {
  const api = await as('vera');
  await (await as('root')).segment('DISTRIBUTE_ONE', ['12346', '12347', '12348', '12349']);
  await (await as('root')).segment('DISTRIBUTE_TWO', ['12348', '12349', '12350']);
  await as('vera');
  await page.goto('/distribution?tab=compare');
  await choose(page, 'First segment', 'DISTRIBUTE_ONE');
  await choose(page, 'Second segment', 'DISTRIBUTE_TWO');
  await expect(page).toHaveURL(/segment=DISTRIBUTE_ONE/);
  await expect(page).toHaveURL(/with=DISTRIBUTE_TWO/);
  const shares = page.getByRole('region', { name: 'Shares of all users' });
  const one = await reach(api, 'DISTRIBUTE_ONE');
  const two = await reach(api, 'DISTRIBUTE_TWO');
  await expect(shares.getByText('Members: 4')).toBeVisible();
  await expect(shares.getByText('Members: 3')).toBeVisible();
  await shares.getByRole('button', { name: 'Show as table' }).click();
  expect(await cells(shares.getByRole('table'))).toEqual([
    ['DISTRIBUTE_ONE', percent(one.percent)],
    ['DISTRIBUTE_TWO', percent(two.percent)],
  ]);
  const common = page.getByRole('region', { name: 'What they have in common' });
  await expect(figure(common, 'In both')).toHaveText('2');
  await expect(figure(common, 'Likeness (Jaccard)')).toHaveText('40%');
  await common.getByRole('button', { name: 'Show as table' }).click();
  expect(await cells(common.getByRole('table'))).toEqual([
    ['Only in DISTRIBUTE_ONE', '2'],
    ['In both', '2'],
    ['Only in DISTRIBUTE_TWO', '1'],
  ]);
  await isAccessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.reload();
  await expect(figure(common, 'In both')).toHaveText('2');
  await fitsWidth(page);
  await shares.getByRole('link', { name: 'DISTRIBUTE_TWO' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'DISTRIBUTE_TWO' })).toBeVisible();
  await page.goBack();
  await expect(figure(common, 'In both')).toHaveText('2');
});

test('everybody moves from one segment to another when its slug is typed, as was foretold', async ({
  page,
  as,
}) => {
  const api = await as('anna');
  await api.segment('DISTRIBUTE_FROM', ['12346', '12347', '12348', '12349']);
  await api.segment('DISTRIBUTE_TO', ['12349', '12350']);
  await page.goto('/distribution');
  await page.getByRole('tab', { name: 'Move' }).click();
  await choose(page, 'From', 'DISTRIBUTE_TO');
  await choose(page, 'To', 'DISTRIBUTE_FROM');
  await page.getByRole('button', { name: 'Swap' }).click();
  await expect(page).toHaveURL(
    /from=DISTRIBUTE_FROM.*to=DISTRIBUTE_TO|to=DISTRIBUTE_TO.*from=DISTRIBUTE_FROM/,
  );
  await expect(figure(preview(page), 'Leave DISTRIBUTE_FROM')).toHaveText('4');
  await expect(figure(preview(page), 'New in DISTRIBUTE_TO')).toHaveText('3');
  await expect(figure(preview(page), 'There already')).toHaveText('1');
  await page.getByRole('button', { name: 'Move', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Move everybody from DISTRIBUTE_FROM to DISTRIBUTE_TO' });
  await expect(dialog).toContainText('4 users leave DISTRIBUTE_FROM. 3 come into DISTRIBUTE_TO');
  await expect(dialog.getByRole('button', { name: 'Move' })).toBeDisabled();
  await isAccessible(page);
  await dialog.getByLabel('Type DISTRIBUTE_FROM to confirm').fill('DISTRIBUTE_FROM');
  await dialog.getByRole('button', { name: 'Move' }).click();
  await expect(page.getByText('4 users moved to DISTRIBUTE_TO')).toBeVisible();
  await expect(page.getByText('Nobody is in DISTRIBUTE_FROM: there is nothing to move.')).toBeVisible();
  expect(await api.size('DISTRIBUTE_FROM')).toBe(0);
  expect(await api.size('DISTRIBUTE_TO')).toBe(5);
});

test('whoever may not distribute sees shares and sizes, and no button', async ({ page, as }) => {
  const root = await as('root');
  await root.segment('DISTRIBUTE_SEEN', ['12346', '12347']);
  await root.segment('DISTRIBUTE_SEEN_2', ['12346']);
  const api = await as('vera');
  await page.goto('/distribution?segment=DISTRIBUTE_SEEN');
  const { percent: share } = await reach(api, 'DISTRIBUTE_SEEN');
  await expect(figure(page.getByRole('region', { name: 'Now' }), 'Share of all')).toHaveText(percent(share));
  await expect(page.getByText('Changing shares needs the permission segments.manage.')).toBeVisible();
  await expect(page.getByRole('slider')).toHaveCount(0);
  await page.goto('/distribution?tab=move&from=DISTRIBUTE_SEEN&to=DISTRIBUTE_SEEN_2');
  await settled(page);
  await expect(figure(page, 'DISTRIBUTE_SEEN')).toHaveText('2');
  await expect(figure(page, 'DISTRIBUTE_SEEN_2')).toHaveText('1');
  await expect(page.getByRole('button', { name: 'Move', exact: true })).toHaveCount(0);
});
