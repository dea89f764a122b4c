import { defineConfig } from '@playwright/test';

/** One project for each use: `tests/console` starts the stories, `cargo xtask screenshots` the pictures, `cargo xtask bench console` the bench. */
export default defineConfig({
  testDir: 'e2e',
  // All stories of one run share a shop, as people do.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: true,
  reporter: [['list', { printSteps: false }]],
  outputDir: process.env.E2E_RESULTS ?? 'e2e-results',
  projects: [
    { name: 'stories', testMatch: /.*\.story\.ts/ },
    { name: 'bench', testMatch: /.*\.bench\.ts/ },
    { name: 'screenshots', testMatch: /.*\.pictures\.ts/, timeout: 300_000 },
  ],
  use: {
    // The same words, numbers and times on each machine.
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    viewport: { width: 1280, height: 800 },
    // What fades in has the contrast of neither state.
    contextOptions: { reducedMotion: 'reduce' },
    screenshot: 'only-on-failure',
    trace: 'off',
    actionTimeout: 15_000,
    launchOptions: {
      executablePath: process.env.E2E_CHROMIUM ?? '/usr/bin/chromium',
      // Nothing of the world but the service is asked.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
