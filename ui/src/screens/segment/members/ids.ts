/** As the service writes ids: guarded where a spreadsheet would run them, or where they look guarded already. */
function idCell(id: string): string {
  const safe = /^('['=+\-@\t\r]|[=+\-@\t\r])/.test(id) ? `'${id}` : id;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** A file of these users alone. The second column, which is empty, makes plain what the separator is. */
export function fileOf(ids: string[]): string {
  return ['user_id;reason', ...ids.map((id) => `${idCell(id)};`)].join('\r\n') + '\r\n';
}
