import { Alert } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { isThere, reachable } from '../api/client';
import { useStore } from '../api/store';
import { parts } from '../parts/messages';
import { useText } from '../text';
import { shell } from './messages';

const EVERY_MS = 2_000;

/** Says that the service is away, listens for it, and asks everything anew when it is back. */
export function Unreachable() {
  const t = useText(shell);
  const of = useText(parts);
  const isReachable = useStore(reachable);
  const client = useQueryClient();
  useEffect(() => {
    if (isReachable) return undefined;
    let isAsked = false;
    const timer = setInterval(() => {
      if (isAsked) return;
      isAsked = true;
      void isThere().then((isBack) => {
        isAsked = false;
        if (isBack) reachable.set(true);
      });
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [isReachable]);
  const wasAway = useRef(false);
  useEffect(() => {
    // Whoever found out that it is back.
    if (isReachable && wasAway.current) {
      notifications.show({
        message: t('back'),
        color: 'teal.9',
        closeButtonProps: { 'aria-label': of('close') },
      });
      void client.invalidateQueries();
    }
    wasAway.current = !isReachable;
  }, [isReachable, client, t, of]);
  if (isReachable) return null;
  return (
    <Alert color="orange" variant="outline" role="alert" mb="md">
      {t('unreachable')}
    </Alert>
  );
}
