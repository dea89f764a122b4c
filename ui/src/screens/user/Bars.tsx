import { Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { SegmentLink } from '../../parts/SegmentLink';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { useAddress } from './address';
import classes from './Bars.module.css';
import { placeOf, rangeOf, ticksOf, type Interval, type Lane } from './lanes';
import { user } from './messages';
import { Formerly } from './TimesTable';
import { useBoth } from './words';

interface Range {
  start: number;
  end: number;
}

/** A row for each segment, and a bar for each time in it. */
export function Bars({ lanes, now }: { lanes: Lane[]; now: number }) {
  const t = useText(user);
  const [, change] = useAddress();
  const [told, setTold] = useState('');
  const range = rangeOf(lanes, now);
  const ticks = ticksOf(range.start, range.end);
  return (
    <Stack gap="xs">
      <Legend />
      <div>
        <Axis ticks={ticks} range={range} now={now} />
        <ul className={classes.lanes} aria-label={t('timelineTitle')}>
          {lanes.map((lane) => (
            <li key={lane.segment} className={classes.lane}>
              <div className={classes.name}>
                <SegmentLink slug={lane.segment} />
                <Formerly slugs={lane.formerly} />
              </div>
              <div className={classes.track}>
                {ticks.map((tick) => (
                  <span key={tick} className={classes.tick} style={{ left: `${placeOf(tick, range)}%` }} />
                ))}
                {lane.intervals.map((interval, place) => (
                  <Bar
                    key={place}
                    segment={lane.segment}
                    interval={interval}
                    range={range}
                    now={now}
                    onTell={setTold}
                    onWhy={() => change({ why: lane.segment })}
                  />
                ))}
                <span className={classes.now} style={{ left: `${placeOf(now, range)}%` }} />
              </div>
            </li>
          ))}
        </ul>
      </div>
      <Text size="sm" className="breaks" mih={44} aria-hidden>
        {told || t('timelineHint')}
      </Text>
    </Stack>
  );
}

function Legend() {
  const t = useText(user);
  const items = [
    [classes.is, t('legendIs')],
    [classes.will, t('legendWill')],
    [`${classes.is} ${classes.unclear}`, t('legendUnclear')],
  ] as const;
  return (
    <Group gap="md" className={classes.legend}>
      {items.map(([look, name]) => (
        <Group key={name} gap={6} wrap="nowrap">
          <span className={`${classes.sample} ${look}`} />
          {name}
        </Group>
      ))}
      <span>{`◆ ${t('legendDeadline')}`}</span>
      <span>{`┆ ${t('legendToday')}`}</span>
    </Group>
  );
}

function Axis({ ticks, range, now }: { ticks: number[]; range: Range; now: number }) {
  const t = useText(user);
  const formats = useFormats();
  const both = useBoth();
  const iso = (instant: number) => new Date(instant).toISOString();
  return (
    <div className={classes.lane} aria-hidden>
      <div className={classes.name} />
      <div className={classes.axis}>
        {ticks.map((tick, place) => (
          <span
            key={tick}
            className={`${classes.label} ${place % 2 === 1 ? classes.wide : ''}`}
            style={{ left: `${placeOf(tick, range)}%` }}
            title={both(iso(tick))}
          >
            {formats.day(iso(tick))}
          </span>
        ))}
        <span className={classes.today} style={{ left: `${placeOf(now, range)}%` }} title={both(iso(now))}>
          {t('legendToday')}
        </span>
      </div>
    </div>
  );
}

/** Everything that a bar shows, in words. */
function useBarText(segment: string, { from, to, deadline, end }: Interval): string {
  const t = useText(user);
  const both = useBoth();
  const text = t('bar', {
    segment,
    from: from ? both(from) : t('before'),
    to: to ? both(to) : t('now'),
    end: t(`end_${end}`),
  });
  return deadline ? `${text}; ${t('barDeadline', { at: both(deadline) })}` : text;
}

interface BarProps {
  segment: string;
  interval: Interval;
  range: Range;
  now: number;
  onTell: (text: string) => void;
  onWhy: () => void;
}

function Bar({ segment, interval, range, now, onTell, onWhy }: BarProps) {
  const t = useText(user);
  const text = useBarText(segment, interval);
  const { from, to, deadline, end } = interval;
  const left = from === null ? 0 : placeOf(Date.parse(from), range);
  const right = placeOf(to === null ? now : Date.parse(to), range);
  const due = deadline === null ? null : Date.parse(deadline);
  const isAhead = end === 'open' && due !== null && due > now;
  const isMarked = due !== null && (end === 'open' || end === 'expired');
  const isUnclear = end === 'unclear' || from === null;
  const isBeyond = due !== null && due > range.end;
  const marked = due === null ? 0 : placeOf(due, range);
  return (
    <>
      {isAhead && (
        <span
          className={`${classes.bar} ${classes.will}`}
          style={{ left: `${right}%`, width: `${marked - right}%` }}
        />
      )}
      <button
        type="button"
        className={`${classes.bar} ${classes.is} ${isUnclear ? classes.unclear : ''}`}
        style={{ left: `${left}%`, width: `${Math.max(0, right - left)}%` }}
        aria-label={text}
        title={text}
        onMouseEnter={() => onTell(text)}
        onFocus={() => onTell(text)}
        onClick={onWhy}
      />
      {isMarked && (
        <span
          className={classes.deadline}
          style={{ left: `${marked}%` }}
          title={isBeyond ? `${t('deadlineBeyond')}; ${text}` : text}
          aria-hidden
        >
          {isBeyond ? '→' : '◆'}
        </span>
      )}
    </>
  );
}
