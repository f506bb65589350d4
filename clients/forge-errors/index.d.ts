/** The values of extensions.code. An application may have more. */
export type ErrorCode =
  | 'GRAPHQL_PARSE_FAILED' | 'GRAPHQL_VALIDATION_FAILED' | 'BAD_USER_INPUT' | 'NOT_FOUND' | 'CONFLICT'
  | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'QUERY_TOO_COMPLEX' | 'QUERY_TOO_DEEP' | 'TOO_MANY_ALIASES'
  | 'OPERATION_NOT_ALLOWED' | 'TIMEOUT' | 'UNAVAILABLE' | 'IDEMPOTENCY_CONFLICT' | 'RATE_LIMITED'
  | 'CURSOR_EXPIRED' | 'CURSOR_LOST' | 'PERSISTED_QUERY_NOT_FOUND' | 'PERSISTED_QUERY_NOT_SUPPORTED'
  | 'INTERNAL' | (string & {});

/** What a form shows of a failure. */
export interface FormErrors {
  /** The messages about each field, by its path in the form, such as "tracks.2.name". */
  fields: Record<string, string[]>;
  /** The messages about the form as a whole. */
  form: string[];
  /** The code of the first error. It is undefined if the server did not answer. */
  code?: ErrorCode;
  /** After how many seconds to try again. */
  retryAfter?: number;
  /** What the row has now, if somebody else has changed it: its version, and fields that differ. */
  conflict?: { version: number; current: Record<string, unknown> };
  /** How many errors the server has left out. */
  more: number;
  /** True if nobody knows whether the change was stored. */
  outcomeUnknown: boolean;
}

/**
 * Maps a failure to a form: an error of Apollo Client or urql, an answer with errors, or a list of
 * errors. argument is the one that the form fills, "input" by default; with "", paths stay whole.
 */
export function formErrors(failure: unknown, options?: { argument?: string }): FormErrors;

/** Shows the errors with setError of React Hook Form. Those of the form are at "root.server". */
export function setFormErrors(
  setError: (name: any, error: { type: string; message: string }) => void,
  errors: FormErrors,
): void;
