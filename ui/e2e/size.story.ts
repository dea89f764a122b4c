import { expect, settled, test } from './story';

test('the first view takes at most 200 kB of JavaScript', async ({ page, as, shop, playwright }) => {
  await as('root');
  const files: string[] = [];
  page.on('response', (response) => {
    if (response.url().endsWith('.js')) files.push(response.url());
  });
  // What comes a second later on purpose is no part of it, however slow the machine.
  await page.addInitScript(() => {
    const soon = globalThis.setTimeout;
    globalThis.setTimeout = ((act: () => void, wait = 0) =>
      wait < 1_000 ? soon(act, wait) : 0) as typeof setTimeout;
  });
  await page.goto('/');
  await settled(page);
  const seen = [...new Set(files)];
  expect(seen.length).toBeGreaterThan(1);
  const plain = await playwright.request.newContext({ extraHTTPHeaders: { 'accept-encoding': 'gzip' } });
  let bytes = 0;
  for (const file of seen) bytes += Number((await plain.head(file)).headers()['content-length']);
  await plain.dispose();
  expect(bytes, `of ${shop.url}: ${seen.join(' ')}`).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThanOrEqual(200_000);
  console.log(`${bytes} bytes of JavaScript, as gzip, in ${seen.length} files`);
});
