/** What a file has, as far as it is looked at before it is sent. */
export interface Preview {
  separator: string;
  header: string[];
  rows: string[][];
  /** Whether the column is there without which no row says anything. */
  hasUsers: boolean;
}

const SEPARATORS = [';', '\t', ','];
/** So much of a file shows its first rows, however wide. */
const LOOKED_AT = 64_000;
const ROWS_MAX = 5;

/** The separator that is in the first line most often; of equals the first, as the service takes it. */
export function separatorOf(line: string): string {
  const times = (sign: string) => line.split(sign).length;
  return SEPARATORS.reduce((best, sign) => (times(sign) > times(best) ? sign : best), ';');
}

/** Cells of CSV, in quotes or not, until there are so many rows. */
export function cellsOf(text: string, separator: string, rowsMax: number): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || cell !== '') rows.push(row);
    [row, cell] = [[], ''];
  };
  for (let at = 0; at < text.length && rows.length < rowsMax; at += 1) {
    const sign = text.charAt(at);
    if (isQuoted) {
      if (sign !== '"') cell += sign;
      else if (text.charAt(at + 1) === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = false;
    } else if (sign === '"' && cell === '') isQuoted = true;
    else if (sign === separator) {
      row.push(cell);
      cell = '';
    } else if (sign === '\n') endRow();
    else if (sign !== '\r') cell += sign;
  }
  if (rows.length < rowsMax && (row.length > 0 || cell !== '')) endRow();
  return rows;
}

/** Whether all of it is UTF-8; it may be too large to be kept at once. */
export async function isUtf8(file: Blob): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = file.stream().getReader();
  for (let part = await reader.read(); ; part = await reader.read()) {
    try {
      decoder.decode(part.value, { stream: !part.done });
    } catch {
      await reader.cancel();
      return false;
    }
    if (part.done) return true;
  }
}

export async function previewOf(file: Blob): Promise<Preview> {
  const start = (await file.slice(0, LOOKED_AT).text()).replace(/^\uFEFF/, '');
  const separator = separatorOf(start.split('\n', 1)[0] ?? '');
  const [header = [], ...rows] = cellsOf(start, separator, ROWS_MAX + 1);
  const hasUsers = header.some((name) => name.trim().toLowerCase() === 'user_id');
  return { separator, header, rows, hasUsers };
}
