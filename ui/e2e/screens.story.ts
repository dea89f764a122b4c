import type { Page } from '@playwright/test';
import { expect, fitsWidth, isAccessible, settled, test } from './story';

/** Every address that the console has, and what of the shop is seen there. */
const ADDRESSES = [
  '/',
  '/segments',
  '/segments?new=true',
  '/segments/SCREEN_A',
  '/segments/SCREEN_A?tab=members',
  '/segments/SCREEN_A?tab=history',
  '/segments/SCREEN_A?tab=overlap&with=SCREEN_B',
  '/segments/SCREEN_A?tab=settings',
  '/segments/NOWHERE',
  '/users',
  '/users?new=true',
  '/users?import=true',
  '/users/12346',
  '/users/12346?tab=timeline',
  '/users/12346?tab=history',
  '/users/12346?tab=attributes',
  '/users/12346?why=SCREEN_A',
  '/distribution',
  '/distribution?tab=compare&segment=SCREEN_A&with=SCREEN_B',
  '/distribution?tab=move&from=SCREEN_A&to=SCREEN_B',
  '/statistics',
  '/jobs',
  '/reports',
  '/reports?new=members',
  '/audit',
  '/accounts',
  '/accounts?new=true',
  '/tokens',
  '/sign-in-settings',
  '/profile',
  '/api-playground',
  '/nowhere',
];

// A segment that is not there.
test.use({ expected: /status of 404/ });

/** What an address opens over its screen is looked at too, once it is there. */
async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await settled(page);
  if (/[?&](why|new|import)=/.test(address)) {
    await expect(page.getByRole('dialog', { name: /\S/ })).toBeVisible();
    await settled(page);
  }
}

test.beforeEach(async ({ as }) => {
  const api = await as('root');
  const users = Array.from({ length: 40 }, (_, place) => String(12_346 + place));
  for (const [slug, until] of [
    ['SCREEN_A', 40],
    ['SCREEN_B', 25],
  ] as const) {
    await api.segment(slug, users.slice(0, until));
  }
});

for (const scheme of ['light', 'dark'] as const) {
  test(`every screen is accessible in ${scheme}`, async ({ page }) => {
    test.setTimeout(300_000);
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    for (const address of ADDRESSES) {
      await test.step(address, async () => {
        await open(page, address);
        await expect(page.locator('h1, [role=dialog] h2').first()).toBeVisible();
        await isAccessible(page);
      });
    }
  });
}

test('every screen fits 390 px', async ({ page }) => {
  test.setTimeout(300_000);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  for (const address of ADDRESSES) {
    await test.step(address, async () => {
      await open(page, address);
      await fitsWidth(page);
      await isAccessible(page);
    });
  }
});

test('every screen is whole in Russian', async ({ page }) => {
  test.setTimeout(300_000);
  await page.addInitScript(() => localStorage.setItem('strata.language', 'ru'));
  for (const address of ADDRESSES) {
    await test.step(address, async () => {
      await open(page, address);
      await expect(page.locator('html')).toHaveAttribute('lang', 'ru');
      await expect(page.locator('h1').first()).toBeVisible();
    });
  }
});

/** Where nothing is there to be waited for. */
const ASK_NOTHING = ['/distribution', '/api-playground', '/nowhere'];

test('what is waited for has a skeleton in its place', async ({ page }) => {
  test.setTimeout(180_000);
  // What every screen asks first, and what only a field to choose from asks.
  const isOther = (url: string) => /\/accounts\/me$|\blimit=20$/.test(url);
  let [asked, answer] = [0, () => {}];
  let held = Promise.resolve();
  await page.route('**/api/v1/**', async (route) => {
    if (!isOther(route.request().url())) {
      asked += 1;
      await held;
    }
    // The page that asked may be gone.
    await route.continue().catch(() => undefined);
  });
  for (const address of ADDRESSES) {
    asked = 0;
    held = new Promise((resolve) => {
      answer = resolve;
    });
    await page.goto(address);
    await expect(page.locator('h1').first()).toBeVisible();
    if (!ASK_NOTHING.includes(address))
      await expect.poll(() => asked, { message: address }).toBeGreaterThan(0);
    await page.waitForTimeout(150);
    const [skeletons, spinners] = await page.evaluate(() =>
      ['.mantine-Skeleton-root', '.mantine-Loader-root'].map(
        (kind) => [...document.querySelectorAll(kind)].filter((one) => one.checkVisibility()).length,
      ),
    );
    if (asked > 0) expect.soft(skeletons, `${address}: skeletons`).toBeGreaterThan(0);
    if (spinners) expect.soft(skeletons, `${address}: skeletons beside spinners`).toBeGreaterThan(0);
    answer();
    await settled(page);
  }
});

/** What somebody can press or fill, but what the arrow keys lead to, and what only repeats for the mouse what a field's keys do. */
const CONTROLS =
  'a[href], button:not(:disabled), input:not(:disabled, [type=hidden], [type=radio]), textarea, summary, [role=slider], [role=tab][aria-selected=true]';
const FOR_THE_MOUSE =
  '[role=tab][aria-selected=false], [aria-hidden=true], [aria-hidden=true] *, .mantine-Input-wrapper [tabindex="-1"]';

test('every screen is reached whole by Tab', async ({ page }) => {
  test.setTimeout(180_000);
  for (const address of ADDRESSES) {
    await open(page, address);
    const count = await page.evaluate(
      ([controls, forTheMouse]) => {
        const dialog = document.querySelector('[role=dialog]');
        const seen = [...(dialog ?? document).querySelectorAll<HTMLElement>(controls)].filter(
          (one) => one.checkVisibility() && !one.matches(forTheMouse),
        );
        const left = new Set<Element>(seen);
        Object.assign(globalThis, { left });
        document.addEventListener('focusin', ({ target }) => left.delete(target as Element));
        left.delete(document.activeElement as Element);
        return seen.length;
      },
      [CONTROLS, FOR_THE_MOUSE] as const,
    );
    const remaining = () =>
      page.evaluate(() =>
        [...(globalThis as unknown as { left: Set<Element> }).left]
          .filter(({ isConnected }) => isConnected)
          .map(({ outerHTML }) => outerHTML.slice(0, 160)),
      );
    expect(count, address).toBeGreaterThan(0);
    for (let pressed = 0; pressed < 3 * count && (await remaining()).length > 0; pressed += 10) {
      for (let time = 0; time < 10; time += 1) await page.keyboard.press('Tab');
    }
    expect.soft(await remaining(), `${address}: what Tab does not lead to`).toEqual([]);
  }
});
