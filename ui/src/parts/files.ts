/** Gives a file to the browser to keep. */
export function save(name: string, content: Blob | string): void {
  const blob = typeof content === 'string' ? new Blob([content]) : content;
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * A cell of CSV with `;` between cells, as the service writes them: quoted where RFC 4180 asks for it, and with an apostrophe
 * before what a spreadsheet would run.
 */
export function cell(value: string | number | null): string {
  const plain = value === null ? '' : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
  return /[";\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The local day of an instant, as ISO 8601 writes days. */
export function localDay(iso: string): string {
  const at = new Date(iso);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function csv(rows: (string | number | null)[][]): string {
  return rows.map((row) => row.map(cell).join(';') + '\r\n').join('');
}

/** A browser's own download, by an address that it may follow with the session's cookie. */
export function download(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  link.click();
}
