import { createTheme, type CSSVariablesResolver, type MantineTheme } from '@mantine/core';

/** Shades are chosen for contrast AA (4.5:1) on both grounds. */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace',
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.15rem' }, h3: { fontSize: '1rem' } },
  },
  components: {
    Tooltip: {
      defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: true } },
    },
    // What it would put before the first item belongs in no menu.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    // Its header is none of the page's, and stands beside no other banner.
    Modal: { defaultProps: { centered: true, attributes: { header: { role: 'presentation' } } } },
    Notification: { styles: { description: { color: 'var(--mantine-color-text)' } } },
    Slider: { styles: { markLabel: { color: 'var(--mantine-color-dimmed)' } } },
    // Scrolled by keyboard too.
    TableScrollContainer: { defaultProps: { type: 'native', tabIndex: 0 } },
    Badge: { defaultProps: { variant: 'light', radius: 'sm', tt: 'none' } },
    Anchor: { defaultProps: { underline: 'hover' } },
  },
});

/** Colours of outlined words, readable on both grounds. */
function outlines(colors: MantineTheme['colors'], shade: 4 | 9): Record<string, string> {
  const names = ['red', 'orange', 'yellow', 'teal', 'green'] as const;
  return Object.fromEntries(names.map((name) => [`--mantine-color-${name}-outline`, colors[name][shade]]));
}

export const variables: CSSVariablesResolver = (theme) => ({
  variables: {},
  light: {
    ...outlines(theme.colors, 9),
    '--mantine-color-dimmed': theme.colors.gray[7],
    '--mantine-color-placeholder': theme.colors.gray[7],
    '--mantine-color-error': theme.colors.red[9],
    // Also under the pointer.
    '--mantine-color-indigo-light-hover': theme.colors.indigo[1],
    '--mantine-color-anchor': theme.colors.indigo[8],
    '--strata-line': theme.colors.gray[3],
    '--strata-ground': theme.colors.gray[0],
    '--strata-hover': theme.colors.gray[1],
    '--strata-in': '#2b8a3e',
    '--strata-out': '#c92a2a',
  },
  dark: {
    ...outlines(theme.colors, 4),
    '--mantine-color-dimmed': theme.colors.dark[1],
    '--mantine-color-placeholder': theme.colors.dark[1],
    '--mantine-color-error': theme.colors.red[4],
    '--mantine-color-anchor': theme.colors.indigo[3],
    '--strata-line': theme.colors.dark[4],
    '--strata-ground': theme.colors.dark[8],
    '--strata-hover': theme.colors.dark[6],
    '--strata-in': '#69db7c',
    '--strata-out': '#ff8787',
  },
});
