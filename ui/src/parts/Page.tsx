import { Alert, Group, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useMatch } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode, type RefObject } from 'react';
import { useMay, useMe, type Permission } from '../api/me';
import { useText } from '../text';
import { parts } from './messages';

interface PageProps {
  title: string;
  /** Beside the title: a badge, a count. */
  beside?: ReactNode;
  /** To the right: what can be done here. */
  actions?: ReactNode;
  /** One sentence. */
  about?: ReactNode;
  /** Who lacks it is told so, whatever address they came by. */
  needs?: Permission;
  children: ReactNode;
}

/** The screen at which the page was opened, and whether somebody went on from there. */
let opened: string | undefined;
let hasMoved = false;

/** On another screen the keyboard begins at its title, which is read aloud: unless it is in a field there already. */
function useArrival(): RefObject<HTMLHeadingElement | null> {
  const title = useRef<HTMLHeadingElement>(null);
  // Of the screen that this is, also while another one is on its way.
  const pathname = useMatch({ strict: false, select: (match) => match.pathname });
  useEffect(() => {
    opened ??= pathname;
    hasMoved ||= pathname !== opened;
    if (!hasMoved) return;
    const at = document.activeElement;
    if (!at || at === document.body || at.closest('nav, header'))
      title.current?.focus({ preventScroll: true });
  }, [pathname]);
  return title;
}

/** The frame of each screen. */
export function Page({ title, beside, actions, about, needs, children }: PageProps) {
  const t = useText(parts);
  const me = useMe();
  const may = useMay();
  useDocumentTitle(`${title} · Strata`);
  const heading = useArrival();
  const isForbidden = needs !== undefined && me !== null && !may(needs);
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start" gap="sm">
        <Stack gap={2}>
          <Group gap="sm" align="baseline">
            <Title order={1} className="breaks" ref={heading} tabIndex={-1}>
              {title}
            </Title>
            {beside}
          </Group>
          {about && (
            <Text size="sm" c="dimmed" maw="70ch">
              {about}
            </Text>
          )}
        </Stack>
        {!isForbidden && actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {isForbidden ? (
        <Alert color="orange" variant="outline" title={t('forbidden')} role="alert">
          {t('forbiddenDetail', { permission: needs })}
        </Alert>
      ) : (
        children
      )}
    </Stack>
  );
}
