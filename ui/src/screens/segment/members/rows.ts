/** What a file has, as far as it is looked at before it is sent. */
export interface Preview {
  separator: string;
  header: string[];
  rows: string[][];
  /** Whether the column is there without which no row says anything. */
  hasUsers: boolean;
  /** Whether letters were lost, since the file is not UTF-8. */
  isGarbled: boolean;
}

const SEPARATORS = [';', '\t', ','];
/** So much of a file shows its first rows, however wide. */
const LOOKED_AT = 64_000;

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

export function previewOf(text: string, rowsMax: number): Preview {
  const start = text.slice(0, LOOKED_AT).replace(/^\uFEFF/, '');
  const separator = separatorOf(start.split('\n', 1)[0] ?? '');
  const [header = [], ...rows] = cellsOf(start, separator, rowsMax + 1);
  return {
    separator,
    header,
    rows,
    hasUsers: header.some((name) => name.trim().toLowerCase() === 'user_id'),
    isGarbled: text.includes('\uFFFD'),
  };
}

/** As the service writes ids: guarded where a spreadsheet would run them, or where they look guarded already. */
function idCell(id: string): string {
  const safe = /^('['=+\-@\t\r]|[=+\-@\t\r])/.test(id) ? `'${id}` : id;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** A file of these users alone. The second column, which is empty, makes plain what the separator is. */
export function fileOf(ids: string[]): string {
  return ['user_id;reason', ...ids.map((id) => `${idCell(id)};`)].join('\r\n') + '\r\n';
}
