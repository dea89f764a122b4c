import { useText } from '../text';
import { useFormats } from '../text/formats';
import { parts } from './messages';

const WIDTH = 100;
const HEIGHT = 26;

/** The points of a line from left to right, higher is more; a line without change lies in the middle. */
export function path(values: number[]): string {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const x = (place: number) => (values.length === 1 ? 0 : (place / (values.length - 1)) * WIDTH);
  const y = (value: number) => (span === 0 ? HEIGHT / 2 : HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4));
  return values.map((value, place) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
}

/** How something went, small enough for a row of a table. */
export function Sparkline({ values }: { values: number[] }) {
  const t = useText(parts);
  const formats = useFormats();
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined) return null;
  const label = t('sparkline', { first: formats.number(first), last: formats.number(last) });
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <polyline
        points={path(values)}
        fill="none"
        stroke="var(--mantine-primary-color-filled)"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
