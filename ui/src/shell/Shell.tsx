import {
  ActionIcon,
  AppShell,
  Box,
  Burger,
  Button,
  Group,
  Kbd,
  NavLink,
  Text,
  UnstyledButton,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { Suspense, useEffect } from 'react';
import { sessionEnded } from '../api/client';
import { useMay } from '../api/me';
import { followed } from '../parts/jobs/followed';
import { lazily } from '../parts/lazily';
import { useText } from '../text';
import { useKeys } from './keys';
import { shell } from './messages';
import { Person } from './Person';
import { SECTIONS } from './sections';
import { useStore } from '../api/store';
import classes from './Shell.module.css';
import { useAside } from './useAside';
import { Unreachable } from './Unreachable';

const PALETTE_KEYS = 'Ctrl K';
const Help = lazily(() => import('./Help'));
const Followed = lazily(() => import('./Followed'));
const SignInAgain = lazily(() => import('./SignInAgain'));
const loadPalette = () => import('./Palette');
const Palette = lazily(loadPalette);

/** What stands around each screen: sections, search, the person, and what is said about the service as a whole. */
export function Shell() {
  const t = useText(shell);
  const [isOpen, menu] = useDisclosure();
  const [isHelp, help] = useDisclosure();
  const [isPalette, palette] = useDisclosure();
  const isEnded = useStore(sessionEnded);
  const areFollowed = useStore(followed).length > 0;
  const may = useMay();
  const { pathname } = useLocation();
  const closeMenu = menu.close;
  useEffect(() => closeMenu(), [pathname, closeMenu]);
  // Whoever types right after the key types into the palette.
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette().catch(() => undefined), 1_500);
    return () => clearTimeout(timer);
  }, []);
  useAside();
  useKeys({ onHelp: help.open, onPalette: palette.open });
  const sections = SECTIONS.filter(({ needs }) => needs === undefined || may(needs));
  const isHere = (to: string) =>
    to === '/' ? pathname === '/' : pathname === to || pathname.startsWith(`${to}/`);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 212, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a href="#content" className={classes.skip}>
        {t('skip')}
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={isOpen} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label={t('menu')} />
            <UnstyledButton component={Link} to="/" aria-label={t('brand')}>
              <Group gap={8} wrap="nowrap">
                <img src="/icon.svg" alt="" width={26} height={26} />
                <Text fw={700} visibleFrom="xs">
                  {t('brand')}
                </Text>
              </Group>
            </UnstyledButton>
          </Group>
          <Button
            variant="default"
            className={classes.search}
            onClick={palette.open}
            rightSection={<Kbd visibleFrom="sm">{PALETTE_KEYS}</Kbd>}
            justify="space-between"
          >
            <Text span c="dimmed" size="sm" truncate>
              {t('search')}
            </Text>
          </Button>
          <Group gap={4} wrap="nowrap">
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={t('help')}
              title={t('help')}
              onClick={help.open}
              visibleFrom="sm"
            >
              <Text span c="dimmed">
                ?
              </Text>
            </ActionIcon>
            <Person />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label={t('navigation')} className={classes.navbar}>
        <Box p="xs" className={classes.sections}>
          {(['groupWork', 'groupService', 'groupAdministration'] as const).map((group) => {
            const inGroup = sections.filter((section) => section.group === group);
            if (inGroup.length === 0) return null;
            return (
              <Box key={group} mb="sm">
                <Text size="xs" c="dimmed" px="xs" py={4}>
                  {t(group)}
                </Text>
                {inGroup.map(({ key, to }) => (
                  <NavLink
                    key={key}
                    component={Link}
                    to={to}
                    label={t(key)}
                    active={isHere(to)}
                    aria-current={isHere(to) ? 'page' : undefined}
                    className={classes.section}
                    py={6}
                  />
                ))}
              </Box>
            );
          })}
        </Box>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Box maw={1360} mx="auto">
          <Unreachable />
          <Outlet />
        </Box>
      </AppShell.Main>
      <Suspense>
        {isHelp && <Help onClose={help.close} />}
        {isPalette && <Palette onClose={palette.close} />}
        {areFollowed && <Followed />}
        {isEnded && <SignInAgain />}
      </Suspense>
    </AppShell>
  );
}
