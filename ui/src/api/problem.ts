/** One field's fault, as problems of the service tell it. */
export interface Fault {
  /** A JSON pointer into the body, or the name of a parameter. */
  pointer: string;
  code: string;
  detail: string;
}

/** What the service refused (RFC 9457), with what a person can do about it. */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly faults: Fault[];
  readonly requestId: string | null;
  /** From `Retry-After`. */
  readonly retrySeconds: number | null;

  constructor(response: Response, document: unknown) {
    const found = (typeof document === 'object' && document !== null ? document : {}) as Record<
      string,
      unknown
    >;
    const word = (name: string) => (typeof found[name] === 'string' ? found[name] : '');
    const title = word('title') || response.statusText || `HTTP ${response.status}`;
    super(word('detail') || title);
    this.name = 'ProblemError';
    this.status = response.status;
    this.code = word('code');
    this.title = title;
    this.detail = word('detail');
    this.faults = Array.isArray(found.errors) ? (found.errors as Fault[]) : [];
    this.requestId = word('request_id') || response.headers.get('x-request-id');
    const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
    this.retrySeconds = Number.isFinite(wait) ? wait : null;
  }
}

/** The service did not answer at all. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super('unreachable', { cause });
    this.name = 'UnreachableError';
  }
}

/** The service's words where all is plain text: its code between backticks is between quotation marks then. */
export function plainly(text: string): string {
  return text.replace(/`([^`]*)`/g, '“$1”');
}

/** The service's words on one field, by its pointer with or without the slash. */
export function faultOf(error: unknown, field: string): string | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  const detail = error.faults.find((fault) => fault.pointer.replace(/^\//, '') === field)?.detail;
  return detail === undefined ? undefined : plainly(detail);
}

export function isProblem(error: unknown, status: number): error is ProblemError {
  return error instanceof ProblemError && error.status === status;
}
