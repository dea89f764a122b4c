import type { Page } from '@playwright/test';
import { downloaded, figure, number } from './reading';
import { expect, fitsWidth, isAccessible, settled, test, type Api } from './story';

interface Row {
  id: number;
  at: string;
  actor: string;
  action: string;
  subject: string;
  detail: Record<string, unknown>;
  hash: string;
}

interface Verification {
  is_sound: boolean;
  rows: number;
  last_id: number;
  last_hash: string;
}

const log = (page: Page) => page.getByRole('table', { name: 'Audit log' });

/** What the page shows first is what the service answers to the same filters. */
async function isAnswer(page: Page, api: Api, filters: Record<string, string>): Promise<Row[]> {
  const query = new URLSearchParams({ ...filters, limit: '100', count: 'exact' }).toString();
  const { items, total } = await api.get<{ items: Row[]; total: number }>(`/audit?${query}`);
  await expect(log(page)).toHaveAttribute('aria-rowcount', String(total + 1));
  await expect(log(page).getByRole('row').nth(1)).toContainText(items[0]?.hash.slice(0, 10) ?? '');
  return items;
}

test('the chain of hashes is whole, as the service verifies it', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('AUDIT_CHAIN');
  await page.goto('/audit');
  await settled(page);
  const chain = page.getByRole('region', { name: 'Chain of hashes' });
  const isTold = async () => {
    const known = await api.get<Verification>('/audit/verification');
    expect(known.is_sound).toBe(true);
    await expect(chain.getByRole('status')).toContainText('Sound: every row is as it was written');
    await expect(figure(chain, 'Rows')).toHaveText(number(known.rows));
    await expect(figure(chain, 'Last row')).toHaveText(number(known.last_id));
    await expect(figure(chain, 'Last hash')).toContainText(known.last_hash.slice(0, 10));
  };
  await isTold();
  await isAccessible(page);
  await api.segment('AUDIT_CHAIN');
  await chain.getByRole('button', { name: 'Verify anew' }).click();
  await isTold();
});

test('the log is narrowed by actor, action, subject and time, all in the address', async ({ page, as }) => {
  await (await as('anna')).segment('AUDIT_FILTER');
  const api = await as('root');
  await api.segment('AUDIT_FILTER');
  await page.goto('/audit');
  await settled(page);
  await page.getByLabel('Subject').fill('segment/AUDIT_FILTER');
  await expect(page).toHaveURL((url) => url.searchParams.get('subject') === 'segment/AUDIT_FILTER');
  const all = await isAnswer(page, api, { subject: 'segment/AUDIT_FILTER' });
  expect(all.map((row) => row.action).slice(0, 3)).toEqual([
    'segment.created',
    'segment.deleted',
    'segment.created',
  ]);
  await page.getByRole('textbox', { name: 'Actor' }).fill('anna');
  await expect(page).toHaveURL(/actor=anna/);
  await isAnswer(page, api, { subject: 'segment/AUDIT_FILTER', actor: 'anna' });
  await page.getByRole('combobox', { name: 'Action' }).fill('Segment cre');
  await page.getByRole('option', { name: 'Segment created' }).click();
  await expect(page).toHaveURL(/action=segment\.created/);
  const filters = { subject: 'segment/AUDIT_FILTER', actor: 'anna', action: 'segment.created' };
  const [first] = await isAnswer(page, api, filters);
  await page.reload();
  await settled(page);
  await isAnswer(page, api, filters);
  await expect(page.getByRole('textbox', { name: 'Actor' })).toHaveValue('anna');
  await expect(page.getByRole('combobox', { name: 'Action' })).toHaveValue('Segment created');
  await page.getByRole('button', { name: 'Show row' }).first().click();
  await page.getByRole('dialog').getByRole('link', { name: 'AUDIT_FILTER' }).click();
  await expect(page).toHaveURL(/\/segments\/AUDIT_FILTER$/);
  await expect(page.getByRole('heading', { level: 1, name: 'AUDIT_FILTER' })).toBeVisible();
  await page.goBack();
  await isAnswer(page, api, filters);
  await page.getByRole('textbox', { name: 'Month, UTC' }).fill(first?.at.slice(0, 7) ?? '');
  await expect(page).toHaveURL(/month=/);
  await isAnswer(page, api, { ...filters, month: first?.at.slice(0, 7) ?? '' });
  await page.getByRole('textbox', { name: 'Month, UTC' }).fill('2001-01');
  await expect(page.getByText('No row fits these filters.')).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page).toHaveURL(/\/audit$/);
  await expect(page.getByRole('textbox', { name: 'Actor' })).toHaveValue('');
  await isAnswer(page, api, {});
});

test('a row tells who did what to what, and leads there', async ({ page, as }) => {
  const api = await as('root');
  await api.segment('AUDIT_ROW');
  await api.post('/segments/AUDIT_ROW/distribute', { percent: 1.5 });
  const { items } = await api.get<{ items: Row[] }>('/audit?subject=segment/AUDIT_ROW&limit=1');
  const [row] = items;
  if (!row) throw new Error('it is written down');
  await page.goto('/audit?subject=segment/AUDIT_ROW');
  await page.getByRole('button', { name: `Show row ${row.id}` }).click();
  const dialog = page.getByRole('dialog', { name: `Row ${row.id}` });
  await expect(dialog).toContainText('segment.distributed');
  await expect(dialog.getByRole('row', { name: /^Actor/ })).toContainText('root');
  await expect(dialog.getByRole('row', { name: /^percent\.to/ })).toContainText('1.5');
  await expect(dialog).toContainText(row.hash);
  await isAccessible(page);
  await dialog.getByRole('link', { name: 'AUDIT_ROW' }).click();
  await expect(page).toHaveURL(/\/segments\/AUDIT_ROW$/);
  await expect(page.getByRole('heading', { level: 1, name: 'AUDIT_ROW' })).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  // Whoever is new would join it, in other stories too.
  await api.send('DELETE', '/segments/AUDIT_ROW');
});

test('what the filters leave is saved as the file that the service writes', async ({ page, as, shop }) => {
  const api = await as('root');
  await api.segment('AUDIT_FILE');
  await page.goto('/audit?subject=segment/AUDIT_FILE');
  await settled(page);
  const file = await downloaded(page, () => page.getByRole('button', { name: 'Export CSV' }).click());
  expect(file.text).toContain('segment.created');
  const answer = await page.request.get(`${shop.url}/api/v1/audit.csv?subject=segment/AUDIT_FILE`);
  expect(file.bytes.equals(await answer.body())).toBe(true);
  const lines = await downloaded(page, () => page.getByRole('button', { name: 'Export NDJSON' }).click());
  for (const line of lines.text.trim().split('\n')) {
    expect(JSON.parse(line)).toMatchObject({ subject: 'segment/AUDIT_FILE' });
  }
});

test('the log is readable on a phone', async ({ page, as }) => {
  const api = await as('root');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/audit');
  await settled(page);
  const { items } = await api.get<{ items: Row[] }>('/audit?limit=1');
  await page.getByRole('button', { name: `Show row ${items[0]?.id}` }).click();
  await expect(page.getByRole('dialog')).toContainText(items[0]?.hash ?? '');
  await fitsWidth(page);
  await isAccessible(page);
});
