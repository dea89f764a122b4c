import {
  ActionIcon,
  AppShell,
  Box,
  Burger,
  Button,
  Group,
  Kbd,
  Menu,
  NavLink,
  ScrollArea,
  Text,
  Tooltip,
  UnstyledButton,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { api, csrf, ok } from '../api/client';
import { useMay, useMe } from '../api/me';
import { useLanguage, useText } from '../text';
import { useKeys } from './keys';
import { shell } from './messages';
import { SECTIONS } from './sections';
import { sessionEnded } from '../api/client';
import { useStore } from '../api/store';
import classes from './Shell.module.css';
import { Unreachable } from './Unreachable';

const PALETTE_KEYS = 'Ctrl K';
const Help = lazy(() => import('./Help'));
const SignInAgain = lazy(() => import('./SignInAgain'));
const loadPalette = () => import('./Palette');
const Palette = lazy(loadPalette);

/** What stands around each screen: sections, search, the person, and what is said about the service as a whole. */
export function Shell() {
  const t = useText(shell);
  const [isOpen, menu] = useDisclosure();
  const [isHelp, help] = useDisclosure();
  const [isPalette, palette] = useDisclosure();
  const isEnded = useStore(sessionEnded);
  const may = useMay();
  const { pathname } = useLocation();
  const closeMenu = menu.close;
  useEffect(() => closeMenu(), [pathname, closeMenu]);
  // Whoever types right after the key types into the palette.
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), 1_500);
    return () => clearTimeout(timer);
  }, []);
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
            <UnstyledButton component={Link} to="/">
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
            <Tooltip label={t('help')}>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                aria-label={t('help')}
                onClick={help.open}
                visibleFrom="sm"
              >
                <Text span c="dimmed">
                  ?
                </Text>
              </ActionIcon>
            </Tooltip>
            <PersonMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label={t('navigation')} className={classes.navbar}>
        <ScrollArea p="xs" type="auto">
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
        </ScrollArea>
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
        {isEnded && <SignInAgain />}
      </Suspense>
    </AppShell>
  );
}

function PersonMenu() {
  const t = useText(shell);
  const me = useMe();
  const client = useQueryClient();
  const [language, setLanguage] = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const login = me?.account?.login;
  const signOut = async () => {
    await ok(api.DELETE('/api/v1/auth/session'));
    csrf.set(null);
    client.clear();
    globalThis.location.assign('/sign-in');
  };
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <Button variant="subtle" color="gray" px="xs" maw={180}>
          <Text span size="sm" truncate c="var(--mantine-color-text)">
            {login ?? me?.actor ?? '…'}
          </Text>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{login ? t('signedInAs', { login }) : t('open')}</Menu.Label>
        <Menu.Item component={Link} to="/profile">
          {t('profile')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('theme')}</Menu.Label>
        {(
          [
            ['light', 'themeLight'],
            ['dark', 'themeDark'],
            ['auto', 'themeSystem'],
          ] as const
        ).map(([scheme, key]) => (
          <Menu.Item
            key={scheme}
            role="menuitemradio"
            aria-checked={colorScheme === scheme}
            rightSection={colorScheme === scheme ? '✓' : null}
            onClick={() => setColorScheme(scheme)}
          >
            {t(key)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t('language')}</Menu.Label>
        {(
          [
            ['en', 'english'],
            ['ru', 'russian'],
          ] as const
        ).map(([code, key]) => (
          <Menu.Item
            key={code}
            lang={code}
            role="menuitemradio"
            aria-checked={language === code}
            rightSection={language === code ? '✓' : null}
            onClick={() => setLanguage(code)}
          >
            {t(key)}
          </Menu.Item>
        ))}
        {me?.account && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => void signOut()}>{t('signOut')}</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
