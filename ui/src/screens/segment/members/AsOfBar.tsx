import { Alert, Box, Button, Group, Slider, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { isInstant } from '../../../parts/DeadlineField';
import { Instant } from '../../../parts/Instant';
import { InstantField } from '../../../parts/InstantField';
import { firstChangeQuery } from '../../../parts/queries';
import { useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { members } from './messages';
import { instantAt, placeOf, rangeOf } from './past';

interface AsOfBarProps {
  slug: string;
  asOf: string | undefined;
  onChange: (asOf: string | undefined) => void;
}

/** Whose members are shown: those of now, or of an instant of the past. */
export function AsOfBar({ slug, asOf, onChange }: AsOfBarProps) {
  const t = useText(members);
  const formats = useFormats();
  const first = useQuery(firstChangeQuery(slug)).data;
  // Before somebody entered there is no past.
  if (!first && asOf === undefined) return null;
  return (
    <Stack gap="xs">
      <Group align="flex-start" gap="md">
        {first && <PastSlider first={first} asOf={asOf} onChange={onChange} />}
        <InstantField
          label={t('asOfField')}
          hint={(at) => (at ? formats.utc(at) : t('now'))}
          at={asOf}
          onSettle={onChange}
          w={230}
        />
      </Group>
      {asOf !== undefined && (
        <Alert
          color="orange"
          variant="outline"
          title={t('past')}
          role="status"
          styles={{ title: { color: 'var(--mantine-color-text)' } }}
        >
          <Group justify="space-between">
            <Text size="sm">
              {t('pastAbout')} {isInstant(asOf) ? <Instant at={asOf} inline /> : asOf}
            </Text>
            <Button size="compact-sm" variant="default" onClick={() => onChange(undefined)}>
              {t('toNow')}
            </Button>
          </Group>
        </Alert>
      )}
    </Stack>
  );
}

type PastSliderProps = Omit<AsOfBarProps, 'slug'> & { first: string };

function PastSlider({ first, asOf, onChange }: PastSliderProps) {
  const t = useText(members);
  const formats = useFormats();
  const [now] = useState(() => Date.now());
  const [dragged, setDragged] = useState<number | null>(null);
  const range = rangeOf(first, now);
  const words = (value: number) => {
    const at = instantAt(value, range);
    return at === undefined ? t('now') : formats.instant(at);
  };
  return (
    <Stack gap={4} flex={1} miw={240}>
      <Text size="sm" fw={500}>
        {t('asOfSlider')}
      </Text>
      <Box px={8} pt={6}>
        <Slider
          {...range}
          value={dragged ?? placeOf(asOf, range)}
          onChange={setDragged}
          onChangeEnd={(value) => {
            setDragged(null);
            onChange(instantAt(value, range));
          }}
          label={words}
          thumbLabel={t('asOfSlider')}
          thumbValueText={words}
        />
      </Box>
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          {formats.day(new Date(range.min).toISOString())}
        </Text>
        <Text size="xs" c="dimmed">
          {t('now')}
        </Text>
      </Group>
    </Stack>
  );
}
