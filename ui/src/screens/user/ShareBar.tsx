import { Stack, Text, Title } from '@mantine/core';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { user } from './messages';
import classes from './ShareBar.module.css';

interface ShareBarProps {
  percent: number;
  position: number;
  isMember: boolean;
}

/** Where somebody stands among all users, and up to where the share reaches. */
export function ShareBar({ percent, position, isMember }: ShareBarProps) {
  const t = useText(user);
  const formats = useFormats();
  const isBelow = position < percent;
  // Not rounded: a position just below the threshold must not look like it.
  const values = { position: String(position), percent: String(percent) };
  const sentence = isBelow ? t('shareBelow', values) : t('shareAbove', values);
  return (
    <Stack gap="xs">
      <Title order={3}>{t('share')}</Title>
      <div className={classes.frame} role="img" aria-label={sentence}>
        <Mark at={position} label={t('sharePosition')} isAbove />
        <div className={classes.bar}>
          <div className={classes.share} style={{ width: `${percent}%` }} />
          <div className={classes.position} style={{ left: `${position}%` }} />
          <div className={classes.threshold} style={{ left: `${percent}%` }} />
        </div>
        <Mark at={percent} label={t('shareThreshold')} isAbove={false} />
        <div className={classes.ends}>
          <span>{formats.percent(0)}</span>
          <span>{formats.percent(100)}</span>
        </div>
      </div>
      <Text size="sm">
        {sentence} {isBelow && !isMember && t('shareBelowNotIn')}
        {!isBelow && isMember && t('shareAboveIn')}
      </Text>
    </Stack>
  );
}

function Mark({ at, label, isAbove }: { at: number; label: string; isAbove: boolean }) {
  // Kept inside of the frame at both ends.
  const side = at > 50 ? { right: `${100 - at}%` } : { left: `${at}%` };
  return (
    <div className={classes.marks}>
      <span className={classes.mark} style={side}>
        {at > 50 ? `${label} ${isAbove ? '▼' : '▲'}` : `${isAbove ? '▼' : '▲'} ${label}`}
      </span>
    </div>
  );
}
