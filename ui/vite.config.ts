import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Beside each file that shrinks lies its short form, so that the service never compresses while it serves. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        for (const [name, file] of Object.entries(bundle)) {
          const source = file.type === 'chunk' ? file.code : file.source;
          const bytes = Buffer.from(source);
          // The page itself is filled in for each answer.
          if (bytes.length < 1024 || name.endsWith('.html')) continue;
          const brotli = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
          this.emitFile({
            type: 'asset',
            fileName: `${name}.br`,
            source: brotliCompressSync(bytes, { params: brotli }),
          });
          this.emitFile({ type: 'asset', fileName: `${name}.gz`, source: gzipSync(bytes, { level: 9 }) });
        }
      },
    },
  };
}

const service = process.env.STRATA_CONSOLE_SERVICE ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), compressed()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // One file of styles: Vite asks once for each, and never again for one that failed.
    cssCodeSplit: false,
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { '^/api/': service, '/healthz': service, '/readyz': service } },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true },
});
