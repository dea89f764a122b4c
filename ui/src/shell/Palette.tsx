import '@mantine/spotlight/styles.css';
import { createSpotlight, Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useMay } from '../api/me';
import { parts } from '../parts/messages';
import { segmentChoices, userChoices } from '../parts/queries';
import { useText } from '../text';
import { useFormats } from '../text/formats';
import { shell } from './messages';
import { SECTIONS } from './sections';
import classes from './Shell.module.css';

const [store, palette] = createSpotlight();

/** Enter takes the first, also when answers that came later took the place of what was selected. */
function selectFirst(): void {
  const list = document.getElementById(store.getState().listId);
  if (!list || list.querySelector('[data-selected]')) return;
  list.querySelector('[data-action]')?.setAttribute('data-selected', 'true');
  store.updateState((state) => ({ ...state, selected: 0 }));
}

/** Everything by a few letters: segments, users, sections and acts. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const t = useText(shell);
  const of = useText(parts);
  const formats = useFormats();
  const navigate = useNavigate();
  const may = useMay();
  const [query, setQuery] = useState('');
  const [settled] = useDebouncedValue(query.trim(), 120);
  const mayRead = may('segments.read');
  const segments = useQuery({ ...segmentChoices(settled), enabled: mayRead });
  const users = useQuery({ ...userChoices(settled), enabled: mayRead && settled !== '' });
  useEffect(() => palette.open(), []);

  const holds = (label: string) => label.toLowerCase().includes(query.trim().toLowerCase());
  // What was found for fewer letters may not be chosen by more.
  const isSettled = settled === query.trim();
  const fits = (...labels: (string | null | undefined)[]) =>
    isSettled || labels.some((label) => holds(label ?? ''));
  const go = (to: string, search?: Record<string, unknown>) => () =>
    void navigate({ to, search: (search ?? {}) as never });
  const acts = [
    { id: 'new-segment', label: t('newSegment'), onClick: go('/segments', { new: true }) },
    { id: 'new-user', label: t('newUser'), onClick: go('/users', { new: true }) },
    ...(may('persons.read')
      ? [{ id: 'import-users', label: t('importUsers'), onClick: go('/users', { import: true }) }]
      : []),
  ];
  const groups: SpotlightActionGroupData[] = [
    {
      group: t('segments'),
      actions: (segments.data?.items ?? [])
        .filter(({ slug, name }) => fits(slug, name))
        .slice(0, 6)
        .map(({ slug, name, user_count }) => ({
          id: `segment-${slug}`,
          label: slug,
          description: `${name === slug ? '' : `${name} · `}${formats.number(user_count)}`,
          onClick: go(`/segments/${encodeURIComponent(slug)}`),
        })),
    },
    {
      group: t('users'),
      actions: (settled === '' ? [] : (users.data?.items ?? []))
        .filter(({ user_id, name, email }) => fits(user_id, name, email))
        .slice(0, 6)
        .map(({ user_id, name, email }) => ({
          id: `user-${user_id}`,
          label: user_id,
          description: [name, email].filter(Boolean).join(' · '),
          onClick: go(`/users/${encodeURIComponent(user_id)}`),
        })),
    },
    {
      group: t('paletteActs'),
      actions: may('segments.manage') ? acts.filter(({ label }) => holds(label)) : [],
    },
    {
      group: t('paletteSections'),
      actions: SECTIONS.filter(({ needs }) => needs === undefined || may(needs))
        .filter(({ key }) => holds(t(key)))
        .map(({ key, to }) => ({ id: key, label: t(key), onClick: go(to) })),
    },
  ];
  const ids = groups.flatMap(({ actions }) => actions.map(({ id }) => id)).join();
  useEffect(selectFirst, [ids]);
  return (
    <Spotlight
      store={store}
      actions={groups.filter(({ actions }) => actions.length > 0)}
      query={query}
      onQueryChange={setQuery}
      filter={(_, actions) => actions}
      onSpotlightClose={onClose}
      nothingFound={segments.isError || users.isError ? of('lookupFailed') : t('paletteEmpty')}
      shortcut={null}
      scrollable
      maxHeight={420}
      classNames={{ actionDescription: classes.found ?? '' }}
      attributes={{ content: { 'aria-label': t('search') } }}
      searchProps={{ placeholder: t('palettePlaceholder'), 'aria-label': of('searchPlaceholder') }}
    />
  );
}
