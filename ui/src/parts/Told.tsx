import { Code } from '@mantine/core';

/** The service's words, in which code stands between backticks. */
export function Told({ text }: { text: string }) {
  return text.split('`').map((piece, place) => (place % 2 === 1 ? <Code key={place}>{piece}</Code> : piece));
}
