/**
 * What each screen keeps in its address, so that a link shows to another what it shows to oneself. Whatever an address says that
 * a screen does not know is left out.
 */

type Raw = Record<string, unknown>;

const word = (raw: Raw, name: string): string | undefined => {
  const value = raw[name];
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
};
const flag = (raw: Raw, name: string): true | undefined =>
  raw[name] === true || raw[name] === 'true' ? true : undefined;
const words = (raw: Raw, name: string): string[] | undefined => {
  const value = raw[name];
  const list = Array.isArray(value)
    ? value.map(String)
    : typeof value === 'string' && value !== ''
      ? value.split(',')
      : [];
  return list.length > 0 ? list : undefined;
};
const number = (raw: Raw, name: string): number | undefined => {
  const value = typeof raw[name] === 'string' ? Number(raw[name]) : raw[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};
function one<T extends string>(raw: Raw, name: string, known: readonly T[]): T | undefined {
  return known.find((value) => value === raw[name]);
}

/** How words of an address are read: a number that would be rounded, as a long id, stays what it is. */
export function exactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'number' && String(value) !== text) throw new SyntaxError(text);
  return value;
}

/** Each may be absent, also from a link of ours. */
const some = <T extends object>(search: T): Partial<T> => search;

export const KINDS = ['manual', 'percent', 'rule', 'model'] as const;
export const SEGMENT_TABS = ['overview', 'members', 'history', 'overlap', 'settings'] as const;
export const USER_TABS = ['segments', 'timeline', 'history', 'attributes'] as const;
export const DISTRIBUTION_TABS = ['share', 'compare', 'move'] as const;

/** Only a place of this console, never another site. */
export const signIn = (raw: Raw) => {
  const next = word(raw, 'next');
  return some({
    next: next?.startsWith('/') && !next.startsWith('//') && !next.includes('\\') ? next : undefined,
  });
};

export const segments = (raw: Raw) =>
  some({
    query: word(raw, 'query'),
    kind: one(raw, 'kind', KINDS),
    sort: word(raw, 'sort'),
    /** None at all is a choice as well. */
    columns: Array.isArray(raw.columns) && raw.columns.length === 0 ? [] : words(raw, 'columns'),
    new: flag(raw, 'new'),
  });

export const segment = (raw: Raw) =>
  some({
    tab: one(raw, 'tab', SEGMENT_TABS),
    query: word(raw, 'query'),
    as_of: word(raw, 'as_of'),
    user_id: word(raw, 'user_id'),
    month: word(raw, 'month'),
    from: word(raw, 'from'),
    to: word(raw, 'to'),
    with: words(raw, 'with'),
    /** The dialog that stands open. */
    act: one(raw, 'act', ['add', 'import']),
    /** Of the curves; 0 is all time. */
    days: number(raw, 'days'),
  });

export const users = (raw: Raw) =>
  some({
    query: word(raw, 'query'),
    new: flag(raw, 'new'),
    import: flag(raw, 'import'),
  });

export const user = (raw: Raw) =>
  some({
    tab: one(raw, 'tab', USER_TABS),
    as_of: word(raw, 'as_of'),
    month: word(raw, 'month'),
    why: word(raw, 'why'),
  });

export const distribution = (raw: Raw) =>
  some({
    tab: one(raw, 'tab', DISTRIBUTION_TABS),
    segment: word(raw, 'segment'),
    percent: number(raw, 'percent'),
    with: word(raw, 'with'),
    from: word(raw, 'from'),
    to: word(raw, 'to'),
  });

export const statistics = (raw: Raw) => some({ days: number(raw, 'days'), query: word(raw, 'query') });

export const jobs = (raw: Raw) => some({ kind: word(raw, 'kind'), state: word(raw, 'state') });

export const reports = (raw: Raw) => some({ new: word(raw, 'new'), segment: word(raw, 'segment') });

export const audit = (raw: Raw) =>
  some({
    actor: word(raw, 'actor'),
    action: word(raw, 'action'),
    subject: word(raw, 'subject'),
    month: word(raw, 'month'),
    from: word(raw, 'from'),
    to: word(raw, 'to'),
  });

export const accounts = (raw: Raw) =>
  some({
    query: word(raw, 'query'),
    role: word(raw, 'role'),
    new: flag(raw, 'new'),
  });

export const playground = (raw: Raw) => some({ call: number(raw, 'call') });
