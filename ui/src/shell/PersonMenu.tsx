import { Menu, useMantineColorScheme } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useMe } from '../api/me';
import { parts } from '../parts/messages';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useSignOut } from '../parts/useSignOut';
import { useLanguage, useText } from '../text';
import { shell } from './messages';
import { PersonButton } from './Person';

/** Of whoever works here: their profile, and how they want the console to look. */
export default function PersonMenu() {
  const t = useText(shell);
  const of = useText(parts);
  const me = useMe();
  const [language, setLanguage] = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const login = me?.account?.login;
  const button = useRef<HTMLButtonElement>(null);
  // It was reached for before it was here.
  const [isOpen, setOpen] = useState(true);
  useEffect(() => button.current?.focus(), []);
  const signOut = useSignOut();
  return (
    <Menu position="bottom-end" width={230} opened={isOpen} onChange={setOpen}>
      <Menu.Target>
        <PersonButton ref={button} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{login ? t('signedInAs', { login }) : t('open')}</Menu.Label>
        <Menu.Item component={Link} to="/profile">
          {t('profile')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{of('theme')}</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(scheme) => setColorScheme(scheme as typeof colorScheme)}
        >
          <Menu.RadioItem value="light">{of('themeLight')}</Menu.RadioItem>
          <Menu.RadioItem value="dark">{of('themeDark')}</Menu.RadioItem>
          <Menu.RadioItem value="auto">{of('themeSystem')}</Menu.RadioItem>
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Label>{of('language')}</Menu.Label>
        <Menu.RadioGroup value={language} onChange={(code) => setLanguage(code as typeof language)}>
          <Menu.RadioItem value="en" lang="en">
            {of('english')}
          </Menu.RadioItem>
          <Menu.RadioItem value="ru" lang="ru">
            {of('russian')}
          </Menu.RadioItem>
        </Menu.RadioGroup>
        {me?.account && (
          <>
            <Menu.Divider />
            <Menu.Item closeMenuOnClick={false} onClick={() => signOut.mutate()}>
              {t('signOut')}
            </Menu.Item>
            <ProblemAlert error={signOut.error} />
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
