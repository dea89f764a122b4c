import { SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useLanguage, useText } from '../text';
import { parts } from './messages';

/** In which language the console speaks. Each is named in itself. */
export function LanguageControl({ size = 'sm' }: { size?: 'xs' | 'sm' }) {
  const t = useText(parts);
  const [language, setLanguage] = useLanguage();
  return (
    <SegmentedControl
      aria-label={t('language')}
      size={size}
      value={language}
      onChange={setLanguage}
      data={[
        { value: 'en', label: t('english') },
        { value: 'ru', label: t('russian') },
      ]}
    />
  );
}

/** Light, dark, or as the system is. */
export function ThemeControl() {
  const t = useText(parts);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      aria-label={t('theme')}
      value={colorScheme}
      onChange={setColorScheme}
      data={[
        { value: 'auto', label: t('themeSystem') },
        { value: 'light', label: t('themeLight') },
        { value: 'dark', label: t('themeDark') },
      ]}
    />
  );
}
