import type { Locator, Page } from '@playwright/test';
import { cells, downloaded, number, percent } from './reading';
import { expect, fitsWidth, isAccessible, settled, test, type Api } from './story';

interface Sized {
  slug: string;
  user_count: number;
}

interface Point {
  at: string;
  added: number;
  removed: number;
  extended: number;
}

interface Pair {
  first: string;
  second: string;
  shared: number;
  jaccard: number;
}

const CHARTS = [
  'The largest segments',
  'Changes by day',
  'Net growth by day',
  'Changes by source',
  'Live memberships by source',
  'Ends by day, the next 14 days',
  'Likeness of pairs',
];

const chart = (page: Page, title: string): Locator =>
  page.getByRole('figure').filter({ has: page.getByRole('heading', { name: title, exact: true }) });

/** What a chart says as a table. */
async function told(page: Page, title: string): Promise<string[][]> {
  const figure = chart(page, title);
  await figure.getByRole('button', { name: 'Show as table' }).click();
  return cells(figure.getByRole('table', { name: title }));
}

/** Midnight in London, some days from today, as instants: the clock may change between. */
function midnight(days: number): Date {
  const today = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/London' }).format(new Date());
  const utc = new Date(Date.parse(`${today}T00:00:00Z`) + days * 86_400_000);
  const hour = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', hour: 'numeric' }).format(utc);
  return new Date(utc.getTime() - Number(hour) * 3_600_000);
}

const dayName = (at: Date) =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'Europe/London' }).format(at);

interface Counts {
  points: Point[];
  sources: (Omit<Point, 'at'> & { source: string })[];
}

/** What came between two instants. */
async function counts(api: Api, from: Date, to?: Date): Promise<Counts> {
  const query = new URLSearchParams({
    from: from.toISOString(),
    step: 'P1D',
    ...(to ? { to: to.toISOString() } : {}),
  });
  return api.get<Counts>(`/history/counts?${query.toString()}`);
}

/** What each of the last days brought, asked for day by day. */
async function countedDays(api: Api, days: number) {
  const rows: { day: string; moves: string[]; net: string }[] = [];
  for (let place = 1 - days; place <= 0; place += 1) {
    const { points } = await counts(api, midnight(place), place < 0 ? midnight(place + 1) : undefined);
    const sum = (name: 'added' | 'removed' | 'extended') =>
      points.slice(1).reduce((all, point) => all + point[name], 0);
    const [added, removed, extended] = [sum('added'), sum('removed'), sum('extended')];
    rows.push({
      day: dayName(midnight(place)),
      moves: [number(added), number(0 - removed), number(extended)],
      net: number(added - removed),
    });
  }
  return rows;
}

/** What changed, and what ends, so that no chart is empty. */
async function something(api: Api): Promise<void> {
  await api.segment('STATISTICS_A', ['12346', '12347', '12348']);
  await api.segment('STATISTICS_B', ['12346', '12347', '12348', '12349']);
  const day = 86_400_000;
  for (const [user, days] of [
    ['12350', 2],
    ['12352', 2],
    ['12353', 5],
  ] as const) {
    const expires_at = new Date(Date.now() + days * day).toISOString();
    await api.post(`/users/${user}/segments/STATISTICS_A`, { expires_at, reason: 'for some days' });
  }
  await api.send('DELETE', '/users/12349/segments/STATISTICS_B');
  const before = [3, 3, 20, 60].map((days, place) => [
    String(12_353 + place),
    new Date(Date.now() - days * day).toISOString(),
  ]);
  await api.importUsers('STATISTICS_B', ['user_id,since', ...before.map((row) => row.join(','))].join('\n'));
}

test('the largest segments are those of the service, and a search narrows them', async ({ page, as }) => {
  const api = await as('root');
  await something(api);
  await page.goto('/statistics');
  await settled(page);
  const rows = async (query: string) =>
    (await api.get<{ items: Sized[] }>(`/segments/stats?sort=-user_count&limit=20${query}`)).items.map(
      (one) => [one.slug, number(one.user_count)],
    );
  const largest = await rows('');
  expect(await told(page, 'The largest segments')).toEqual(largest);
  const wanted = String(largest[3]?.[0]);
  await page.getByLabel('Search segments').fill(wanted);
  await expect(page).toHaveURL(new RegExp(`query=${wanted}`));
  const table = page.getByRole('table', { name: 'Users per segment' });
  await expect(table.getByRole('link').first()).toHaveText(wanted);
  const few = await rows(`&query=${wanted}`);
  expect((await cells(table)).map((one) => [one[0], one[2]])).toEqual(few);
  await page.reload();
  await expect(page.getByLabel('Search segments')).toHaveValue(wanted);
  await expect(table.getByRole('row')).toHaveCount(few.length + 1);
  await page.getByLabel('Search segments').fill('NO_SUCH_SEGMENT');
  await expect(page.getByText('No segment is found.')).toBeVisible();
});

test('each day tells what was added, removed and extended, for as many days as the address says', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await something(api);
  for (const days of [30, 7, 90]) {
    await page.goto('/statistics');
    await settled(page);
    if (days !== 30) await page.getByText(`${days} days`, { exact: true }).click();
    if (days !== 30) await expect(page).toHaveURL(new RegExp(`days=${days}$`));
    const known = await counts(api, midnight(1 - days));
    const rows = await countedDays(api, days);
    await expect(chart(page, 'Changes by day').getByText(`${days} points`)).toBeVisible();
    expect(await told(page, 'Changes by day')).toEqual(rows.map((row) => [row.day, ...row.moves]));
    expect(await told(page, 'Net growth by day')).toEqual(rows.map((row) => [row.day, row.net]));
    expect(await told(page, 'Changes by source')).toEqual(
      known.sources.map((one) => [one.source, number(one.added), number(one.removed), number(one.extended)]),
    );
  }
  // Back undoes the last choice.
  await page.goBack();
  await expect(page.getByRole('radio', { name: '30 days' })).toBeChecked();
});

test('memberships are told by source as the service counts them', async ({ page, as }) => {
  const api = await as('root');
  await something(api);
  await page.goto('/statistics');
  await settled(page);
  const { items } = await api.get<{ items: { source: string; memberships: number }[] }>(
    '/memberships/sources',
  );
  expect(await told(page, 'Live memberships by source')).toEqual(
    items.map((one) => [one.source, number(one.memberships)]),
  );
});

test('what ends within two weeks is told by day, and one by one', async ({ page, as }) => {
  const api = await as('vera');
  await something(await as('root'));
  await as('vera');
  await page.goto('/statistics');
  await settled(page);
  const until = encodeURIComponent(midnight(14).toISOString());
  const { items } = await api.get<{ items: { expires_at: string; segment: string; user_id: string }[] }>(
    `/memberships?expires_before=${until}&limit=1000`,
  );
  const days = Array.from({ length: 14 }, (_, place) => {
    const [from, to] = [midnight(place), midnight(place + 1)];
    const ends = items.filter((one) => new Date(one.expires_at) >= from && new Date(one.expires_at) < to);
    return [dayName(from), number(ends.length)];
  });
  expect(await told(page, 'Ends by day, the next 14 days')).toEqual(days);
  const list = page.getByRole('table', { name: 'Memberships that end in the next 14 days' });
  await expect(list).toHaveAttribute('aria-rowcount', String(items.length + 1));
  const mine = list.getByRole('row').filter({ hasText: 'STATISTICS_A' });
  await expect(async () => {
    await list.evaluate((element) => element.scrollBy(0, 300));
    await expect(mine.first()).toContainText(/for some days/, { timeout: 200 });
  }).toPass();
  await mine.first().getByRole('link', { name: 'STATISTICS_A' }).click();
  await expect(page).toHaveURL(/\/segments\/STATISTICS_A$/);
});

test('the most alike segments are those of the service, and each pair can be compared', async ({
  page,
  as,
}) => {
  const api = await as('root');
  await something(api);
  await page.goto('/statistics');
  await settled(page);
  const { items } = await api.get<{ items: Pair[] }>('/segments/overlaps?limit=20');
  expect(await told(page, 'Likeness of pairs')).toEqual(
    items.map((pair) => [`${pair.first} ∩ ${pair.second}`, percent(pair.jaccard * 100)]),
  );
  const table = page.getByRole('table', { name: 'Most alike segments' });
  expect((await cells(table)).map((one) => [one[2], one[3]])).toEqual(
    items.map((pair) => [percent(pair.jaccard * 100), number(pair.shared)]),
  );
  const [pair] = items;
  if (!pair) throw new Error('some of the shop are alike');
  await page.getByRole('link', { name: `Compare ${pair.first} and ${pair.second}` }).click();
  await expect(page).toHaveURL(new RegExp(`/segments/${pair.first}\\?tab=overlap`));
  await expect(page.getByRole('main')).toContainText(pair.second);
});

test('each chart is told in words, and saved as a picture and as a file of the same figures', async ({
  page,
  as,
}) => {
  await something(await as('root'));
  await page.goto('/statistics');
  await settled(page);
  for (const title of CHARTS) {
    await test.step(title, async () => {
      const figure = chart(page, title);
      await expect(
        figure.getByRole('img', { name: new RegExp(`^${title}\\. .*: from .* to .*, lowest`) }),
      ).toBeVisible();
      const picture = await downloaded(page, () =>
        figure.getByRole('button', { name: 'Save as PNG' }).click(),
      );
      expect(picture.name).toMatch(/\.png$/);
      expect(picture.bytes.subarray(1, 4).toString()).toBe('PNG');
      const file = await downloaded(page, () => figure.getByRole('button', { name: 'Save as CSV' }).click());
      expect(file.name).toBe(picture.name.replace('.png', '.csv'));
      const rows = await told(page, title);
      const lines = file.text.trim().split('\r\n');
      expect(lines).toHaveLength(rows.length + 1);
      // In a file numbers are plain, and days as ISO 8601 has them.
      const plain = (text = '') => Number(text.replace(/[,%]/g, ''));
      const shown = rows.map((one) => one.slice(1).map(plain));
      const written = lines.slice(1).map((line) => line.split(';').slice(1).map(Number));
      expect(written.map((one) => one.map((value) => Math.round(value * 100) / 100))).toEqual(shown);
      if (title.includes('by day')) expect(lines[1]).toMatch(/^\d{4}-\d\d-\d\d;/);
    });
  }
  await isAccessible(page);
});

test('statistics are readable on a phone', async ({ page, as }) => {
  await something(await as('root'));
  await as('vera');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/statistics');
  await settled(page);
  await fitsWidth(page);
  await isAccessible(page);
});
