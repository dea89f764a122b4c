import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test as base, type APIRequestContext, type Page } from '@playwright/test';
import type axe from 'axe-core';
import { Service } from './service';

export const PASSWORD = 'correct horse battery staple';
export type Login = 'root' | 'anna' | 'vera';

/** Calls the API as somebody, as curl does: what a story needs, and what it is checked by. */
export class Api {
  private constructor(
    private readonly request: APIRequestContext,
    private readonly base: string,
    private readonly headers: Record<string, string>,
  ) {}

  /** Signs in for all that shares cookies with this request context: a page's is the page itself. */
  static async signIn(
    request: APIRequestContext,
    base: string,
    login: string,
    password = PASSWORD,
  ): Promise<Api> {
    const answer = await request.post(`${base}/api/v1/auth/session`, { data: { login, password } });
    expect(answer.status(), await answer.text()).toBeLessThan(300);
    const { csrf_token } = (await answer.json()) as { csrf_token: string };
    return new Api(request, base, { 'x-csrf-token': csrf_token });
  }

  async send<T>(
    method: string,
    path: string,
    data?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const answer = await this.request.fetch(`${this.base}/api/v1${path}`, {
      method,
      headers: { ...this.headers, ...headers },
      ...(data === undefined ? {} : { data }),
    });
    expect(answer.status(), `${method} ${path}: ${await answer.text()}`).toBeLessThan(300);
    const text = await answer.text();
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  get<T>(path: string): Promise<T> {
    return this.send<T>('GET', path);
  }

  post<T>(path: string, data: unknown = {}): Promise<T> {
    return this.send<T>('POST', path, data);
  }

  /** A segment with these members, whatever was there before. */
  async segment(slug: string, users: string[] = []): Promise<void> {
    await this.request.delete(`${this.base}/api/v1/segments/${slug}`, { headers: this.headers });
    await this.post('/segments', { slug });
    if (users.length > 0) await this.importUsers(slug, ['user_id', ...users].join('\n'));
  }

  /** How many members a segment has. */
  async size(slug: string): Promise<number> {
    return (await this.get<{ total: number }>(`/segments/${slug}/users?limit=1&count=exact`)).total;
  }

  /** Puts the users of a CSV file into a segment, and waits until they are in. */
  async importUsers(slug: string, csv: string): Promise<void> {
    const path = `/segments/${slug}/users/import`;
    const { id } = await this.send<{ id: number }>('POST', path, csv, { 'content-type': 'text/csv' });
    await this.ended(id);
  }

  /** Waits until a job is done. */
  async ended(job: number): Promise<void> {
    const state = async () => (await this.get<{ state: string }>(`/jobs/${job}`)).state;
    await expect.poll(state, { timeout: 60_000 }).toBe('done');
  }
}

interface Fixtures {
  /** What the page may say on its console: each story names what it provokes, in one pattern. */
  expected: RegExp | RegExp[];
  /** Signs the page in, and gives its hand to call the API with. */
  as: (login: Login) => Promise<Api>;
}

interface WorkerFixtures {
  shop: Service;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  shop: [
    // Playwright wants an object to take fixtures from.
    // eslint-disable-next-line no-empty-pattern
    async ({}, give) => {
      const service = await Service.start('shop');
      await give(service);
      await service.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ shop }, give) => give(shop.url),
  expected: [[], { option: true }],
  page: async ({ page, expected }, give) => {
    const said: string[] = [];
    page.on('pageerror', ({ name, message, stack }) => said.push(`${name}: ${message}\n${stack ?? ''}`));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') {
        said.push(`${message.text()} (${message.location().url})`);
      }
    });
    await give(page);
    const strange = said.filter((line) => ![expected].flat().some((pattern) => pattern.test(line)));
    expect(strange, 'the page complains').toEqual([]);
  },
  as: async ({ page, shop }, give) => {
    await give((login) => Api.signIn(page.request, shop.url, login));
  },
});

export { expect, Service };

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds on the page as it stands, of WCAG 2.2 A and AA: nothing serious or critical may be there. */
export async function isAccessible(page: Page): Promise<void> {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { axe: tool } = globalThis as unknown as { axe: typeof axe };
    const results = await tool.run(document, { resultTypes: ['violations'] });
    return results.violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => ({
        id,
        where: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`),
      }));
  });
  expect.soft(found, `on ${page.url()}`).toEqual([]);
}

/** Nothing is wider than the window. */
export async function fitsWidth(page: Page): Promise<void> {
  const [have, want] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
  expect(want, `${page.url()} scrolls sideways`).toBeLessThanOrEqual(have ?? 0);
}

/** The screen has loaded all that it shows first. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('h1').first()).toBeVisible({ timeout: 30_000 });
  await expect(page.locator('.mantine-Skeleton-root')).toHaveCount(0, { timeout: 30_000 });
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0, { timeout: 30_000 });
}
