import { Button, Text } from '@mantine/core';
import { Suspense, useState, type ComponentProps } from 'react';
import { useMe } from '../api/me';
import { lazily } from '../parts/lazily';

const loadMenu = () => import('./PersonMenu');
const PersonMenu = lazily(loadMenu);

/** Who works here. The menu behind it comes when somebody reaches for it. */
export function Person() {
  const [isWanted, setWanted] = useState(false);
  const button = (
    <PersonButton
      aria-haspopup="menu"
      aria-expanded={false}
      onPointerEnter={() => void loadMenu()}
      onFocus={() => void loadMenu()}
      onClick={() => setWanted(true)}
    />
  );
  if (!isWanted) return button;
  return (
    <Suspense fallback={button}>
      <PersonMenu />
    </Suspense>
  );
}

export function PersonButton(props: ComponentProps<typeof Button<'button'>>) {
  const me = useMe();
  return (
    <Button variant="subtle" color="gray" px="xs" maw={180} {...props}>
      <Text span size="sm" truncate c="var(--mantine-color-text)">
        {me?.account?.login ?? me?.actor ?? '…'}
      </Text>
    </Button>
  );
}
