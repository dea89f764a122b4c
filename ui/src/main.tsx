import '@mantine/core/styles.css';
import './global.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { lazily } from './parts/lazily';
import { Quietly } from './parts/Quietly';
import { queryClient, router } from './router';
import { language } from './text';
import { theme, variables } from './theme';

// Nothing is told before the first screen is there: what is told with comes after it.
const Notices = lazily(async () => {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return import('./shell/Notices');
});

document.documentElement.lang = language();
const nonce = document.querySelector<HTMLMetaElement>('meta[name=style-nonce]')?.content;
// Where a library that keeps the page from scrolling behind dialogs looks for it.
if (nonce) Object.assign(globalThis, { __webpack_nonce__: nonce });
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={variables}
        defaultColorScheme="auto"
        {...(nonce ? { getStyleNonce: () => nonce } : {})}
      >
        <Quietly>
          <Suspense>
            <Notices />
          </Suspense>
        </Quietly>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
