import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { Api, expect, settled, test } from './story';

const folder = process.env.E2E_PICTURES ?? '';

/** What each picture is called, and the address that it shows. */
const SCREENS: [name: string, address: string][] = [
  ['home', '/'],
  ['segments', '/segments'],
  ['segment-overview', '/segments/BOUGHT_85123A?days=0'],
  ['segment-members', '/segments/BOUGHT_85123A?tab=members'],
  ['segment-members-then', '/segments/BOUGHT_85123A?tab=members&as_of=2010-12-01T00:00:00Z'],
  ['segment-history', '/segments/BOUGHT_85123A?tab=history&month=2010-11'],
  ['segment-overlap', '/segments/BOUGHT_85123A?tab=overlap&with=BOUGHT_22423,BOUGHT_85099B,BOUGHT_84879'],
  ['segment-settings', '/segments/MAIL_30?tab=settings'],
  ['users', '/users'],
  ['user', '/users/12347'],
  ['user-timeline', '/users/12347?tab=timeline'],
  ['user-history', '/users/12347?tab=history'],
  ['user-attributes', '/users/12347?tab=attributes'],
  ['user-why', '/users/12346?why=TRIAL'],
  ['distribution-share', '/distribution?segment=MAIL_30&percent=40'],
  ['distribution-compare', '/distribution?tab=compare&segment=MAIL_30&with=MAIL_50'],
  ['distribution-move', '/distribution?tab=move&from=MAIL_50&to=MAIL_30'],
  ['statistics', '/statistics'],
  ['jobs', '/jobs'],
  ['job', '/jobs/4'],
  ['reports', '/reports'],
  ['audit', '/audit'],
  ['accounts', '/accounts'],
  ['account', '/accounts/1'],
  ['tokens', '/tokens'],
  ['sign-in-settings', '/sign-in-settings'],
  ['profile', '/profile'],
  ['api', '/api-playground'],
  ['sign-in', '/sign-in'],
];

const VARIANTS = [
  { name: 'wide-light-en', width: 1280, height: 800, colorScheme: 'light', language: 'en' },
  { name: 'wide-dark-ru', width: 1280, height: 800, colorScheme: 'dark', language: 'ru' },
  { name: 'narrow-light-ru', width: 390, height: 844, colorScheme: 'light', language: 'ru' },
  { name: 'narrow-dark-en', width: 390, height: 844, colorScheme: 'dark', language: 'en' },
] as const;

/** What the shop does with its customers: shares, deadlines, people and programs. */
async function live(api: Api): Promise<void> {
  await api.post('/segments', {
    slug: 'MAIL_30',
    name: 'Spring mailing',
    description: 'Those who get the letter in spring.',
  });
  await api.post('/segments', { slug: 'MAIL_50', name: 'Half of all' });
  await api.post('/segments/MAIL_30/distribute', { percent: 30 });
  await api.post('/segments/MAIL_50/distribute', { percent: 50 });
  await api.post('/segments', { slug: 'TRIAL', name: 'Free delivery for a month', default_ttl: 'P30D' });
  const users = ['12346', '12347', '12348', '12349', '12350', '12352', '12353'];
  for (const [place, user] of users.entries()) {
    await api.post(`/users/${user}/segments/TRIAL`, {
      ttl: `P${place + 1}D`,
      reason: 'asked support for it',
    });
  }
  const person = { name: 'Ólafur Jónsson', email: 'olafur@example.is' };
  await api.send('PATCH', '/users/12347', person, { 'if-match': '*' });
  await api.post('/reports/history', { segment: 'TRIAL' });
  await api.importUsers(
    'TRIAL',
    'user_id;reason\n12354;a list of the shop\n;a row without a user\n12355;a list of the shop',
  );
  for (const [login, role] of [
    ['anna@example.com', 'analyst'],
    ['vera@example.com', 'viewer'],
  ]) {
    await api.post('/accounts', { login, role });
  }
  await api.post('/tokens', { name: 'shop-backend', scopes: ['read', 'assign'] });
  await api.post('/tokens', { name: 'nightly-export', scopes: ['read'], ttl: 'P90D' });
}

/** The last calls of a screen, and one of them in full. */
async function seeCalls(page: Page): Promise<void> {
  await page.goto('/segments/MAIL_30');
  await settled(page);
  await page.evaluate(() => document.querySelector<HTMLElement>('a[href="/api-playground"]')?.click());
  await page
    .getByRole('link', { name: /GET/ })
    .or(page.getByRole('button', { name: /GET/ }))
    .first()
    .click();
}

test('each screen is taken', async ({ browser, playwright, shop }) => {
  test.setTimeout(1_200_000);
  const context = await playwright.request.newContext();
  await live(await Api.signIn(context, shop.url, 'root'));
  for (const { name, width, height, colorScheme, language } of VARIANTS) {
    const own = await browser.newContext({
      baseURL: shop.url,
      viewport: { width, height },
      colorScheme,
      locale: language === 'en' ? 'en-GB' : 'ru-RU',
      timezoneId: 'Europe/London',
      reducedMotion: 'reduce',
    });
    await own.addInitScript((kept) => localStorage.setItem('strata.language', kept), language);
    const page = await own.newPage();
    for (const [screen, address] of SCREENS) {
      if (screen === 'sign-in') await own.clearCookies();
      else if (screen === 'home') await Api.signIn(own.request, shop.url, 'root');
      if (screen === 'api') await seeCalls(page);
      else await page.goto(address);
      await settled(page);
      if (address.includes('why=')) await expect(page.getByRole('dialog')).toBeVisible();
      await page.waitForFunction(() =>
        document.getAnimations().every(({ playState }) => playState !== 'running'),
      );
      await page.screenshot({ path: join(folder, `${screen}-${name}.png`), animations: 'disabled' });
    }
    await own.close();
  }
  await context.dispose();
});
