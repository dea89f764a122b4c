export type Attributes = Record<string, unknown>;

/** An attribute as it is typed: the value is JSON. */
export interface AttributeRow {
  id: number;
  key: string;
  value: string;
}

export type AttributeFault = 'noKey' | 'twice' | 'notJson' | 'notExact' | 'nothing';

export function rowsOf(attributes: Attributes): AttributeRow[] {
  return Object.entries(attributes).map(([key, value], id) => ({ id, key, value: JSON.stringify(value) }));
}

export function withFreshRow(rows: AttributeRow[]): AttributeRow[] {
  return [...rows, { id: Math.max(-1, ...rows.map((row) => row.id)) + 1, key: '', value: '' }];
}

function parsed(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

/** Whether no number in it was rounded to another: the service keeps them all as they are written. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isExact);
}

function faultOf(row: AttributeRow, isTwice: boolean, before: Attributes): AttributeFault | null {
  if (row.key === '') return 'noKey';
  if (isTwice) return 'twice';
  const read = parsed(row.value);
  if (!read) return 'notJson';
  if (!isExact(read.value) && !isSame(read.value, before[row.key])) return 'notExact';
  // A change by null would take the attribute away.
  return read.value === null && before[row.key] !== null ? 'nothing' : null;
}

/** What the rows say, and what is wrong with each; rows that are still blank say nothing. */
export function readRows(rows: AttributeRow[], before: Attributes = {}) {
  const faults = new Map<number, AttributeFault>();
  const entries = new Map<string, unknown>();
  for (const row of rows.filter(({ key, value }) => key.trim() !== '' || value.trim() !== '')) {
    const clean = { ...row, key: row.key.trim() };
    const fault = faultOf(clean, entries.has(clean.key), before);
    if (fault) faults.set(row.id, fault);
    else entries.set(clean.key, parsed(row.value)?.value);
  }
  const attributes: Attributes = Object.fromEntries(entries);
  return { attributes, faults };
}

function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isSame = (first: unknown, second: unknown) => JSON.stringify(first) === JSON.stringify(second);

/** What turns one into the other by RFC 7396: only what differs, and null for what goes away. */
export function mergePatch(before: Attributes, after: Attributes): Attributes {
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  const changed = Object.entries(after).flatMap<[string, unknown]>(([key, value]) => {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isSame(old, value)) return [];
    if (!isObject(old) || !isObject(value)) return [[key, value]];
    const inner = mergePatch(old, value);
    return Object.keys(inner).length > 0 ? [[key, inner]] : [];
  });
  return Object.fromEntries([...gone.map((key) => [key, null] as const), ...changed]);
}

/** What comes of it when the service merges a patch. */
export function merged(target: Attributes, patch: Attributes): Attributes {
  const result = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    const old = result.get(key);
    if (value === null) result.delete(key);
    else result.set(key, isObject(value) ? merged(isObject(old) ? old : {}, value) : value);
  }
  return Object.fromEntries(result);
}

/** A few attributes in a line. */
export function inShort(attributes: Attributes, most = 4): string {
  const entries = Object.entries(attributes);
  const shown = entries
    .slice(0, most)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [...shown, ...(entries.length > most ? ['…'] : [])].join(', ');
}
