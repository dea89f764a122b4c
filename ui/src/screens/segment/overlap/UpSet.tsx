import { Text } from '@mantine/core';
import type { Schemas } from '../../../api/client';
import { useLanguage, useText } from '../../../text';
import { useFormats } from '../../../text/formats';
import { overlap } from './messages';
import { expressionOf, spanOf, totalOf, type Intersection } from './sets';
import classes from './UpSet.module.css';

const STEP = 42;
const BARS = 150;
const ROW = 32;
const TOP = 16;

interface UpSetProps {
  segments: Schemas['SegmentCount'][];
  /** Sorted; those that are drawn. */
  columns: Intersection[];
  onPick: (expression: string) => void;
}

/** Columns are intersections with a bar each, rows are segments; dots say of which segments a column is. */
export function UpSet({ segments, columns, onPick }: UpSetProps) {
  const slugs = segments.map(({ segment }) => segment);
  return (
    <div className={classes.frame}>
      <Labels segments={segments} />
      <div className={classes.scroll}>
        <div
          className={classes.plot}
          style={{ width: columns.length * STEP, height: BARS + ROW * slugs.length }}
        >
          <Picture slugs={slugs} columns={columns} />
          <Columns slugs={slugs} columns={columns} onPick={onPick} />
        </div>
      </div>
    </div>
  );
}

function Labels({ segments }: Pick<UpSetProps, 'segments'>) {
  const formats = useFormats();
  const largest = Math.max(1, ...segments.map(({ user_count }) => user_count));
  return (
    <div className={classes.labels} style={{ paddingTop: BARS }}>
      {segments.map(({ segment, user_count }) => (
        <div key={segment} className={classes.label} style={{ height: ROW }}>
          <Text span size="sm" truncate title={segment}>
            {segment}
          </Text>
          <Text span size="xs" c="dimmed" className="number">
            {formats.number(user_count)}
          </Text>
          <span
            aria-hidden
            className={classes.size}
            style={{ width: `calc((100% - 8px) * ${user_count / largest})` }}
          />
        </div>
      ))}
    </div>
  );
}

interface PartProps {
  slugs: string[];
  columns: Intersection[];
}

function Picture({ slugs, columns }: PartProps) {
  const t = useText(overlap);
  const formats = useFormats();
  const largest = Math.max(1, ...columns.map(({ user_count }) => user_count));
  const first = columns[0];
  const summary = t('plotSummary', {
    segments: formats.list(slugs),
    count: columns.length,
    users: formats.number(totalOf(columns)),
    first: first ? expressionOf(first.segments, slugs) : '',
    most: formats.number(first?.user_count ?? 0),
  });
  const height = BARS + ROW * slugs.length;
  return (
    <svg role="img" aria-label={summary} width={columns.length * STEP} height={height}>
      {slugs.map((slug, row) => (
        <rect
          key={slug}
          y={BARS + row * ROW}
          width="100%"
          height={ROW}
          fill={row % 2 === 0 ? 'var(--strata-hover)' : 'none'}
        />
      ))}
      {columns.map((column, place) => (
        <ColumnPicture
          key={column.segments.join(' ')}
          column={column}
          slugs={slugs}
          x={(place + 0.5) * STEP}
          largest={largest}
        />
      ))}
    </svg>
  );
}

interface ColumnPictureProps {
  column: Intersection;
  slugs: string[];
  x: number;
  largest: number;
}

function ColumnPicture({ column, slugs, x, largest }: ColumnPictureProps) {
  const [language] = useLanguage();
  const short = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
  const high = Math.max(1, (column.user_count / largest) * (BARS - TOP - 10));
  const y = (row: number) => BARS + (row + 0.5) * ROW;
  const span = spanOf(column.segments, slugs);
  const ink = 'var(--mantine-color-text)';
  return (
    <g>
      <text x={x} y={BARS - 10 - high} textAnchor="middle" fontSize="10" fill={ink}>
        {short.format(column.user_count)}
      </text>
      <rect
        x={x - 11}
        y={BARS - 6 - high}
        width="22"
        height={high}
        rx="2"
        fill="var(--mantine-primary-color-filled)"
      />
      {span && <line x1={x} x2={x} y1={y(span[0])} y2={y(span[1])} stroke={ink} strokeWidth="2" />}
      {slugs.map((slug, row) => {
        const isIn = column.segments.includes(slug);
        return (
          <circle
            key={slug}
            cx={x}
            cy={y(row)}
            r={isIn ? 7 : 3}
            fill={isIn ? ink : 'var(--mantine-color-body)'}
            stroke={isIn ? ink : 'var(--mantine-color-dimmed)'}
          />
        );
      })}
    </g>
  );
}

/** Over the picture, since nothing within an image can be reached by keyboard. */
function Columns({ slugs, columns, onPick }: PartProps & Pick<UpSetProps, 'onPick'>) {
  const t = useText(overlap);
  const formats = useFormats();
  return columns.map(({ segments, user_count }, place) => {
    const expression = expressionOf(segments, slugs);
    const label = t('column', { expression, users: formats.number(user_count) });
    return (
      <button
        key={expression}
        type="button"
        className={classes.column}
        style={{ left: place * STEP, width: STEP }}
        aria-label={label}
        title={label}
        onClick={() => onPick(expression)}
      />
    );
  });
}
