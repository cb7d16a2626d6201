/** Failure to HTTP, in one table (RFC 9457 problem details with a stable `code`). */
import { STATUS_CODES } from 'node:http';
import type { Failure, Problem } from '@switchyard/contract';

/** Codes of our own rooms that are not simply "the request could not be done" (422). */
const statusByCode: Readonly<Record<string, number>> = {
  'not-found': 404,
  unauthenticated: 401,
  forbidden: 403,
  'wrong-origin': 403,
  'wrong-credentials': 401,
  'slow-down': 429,
  'slug-taken': 409,
  'email-taken': 409,
  'phone-number-taken': 409,
  'already-claimed': 409,
  conflict: 409,
  'idempotency-mismatch': 422,
  'idempotency-running': 409,
  'invalid-request': 400,
  unavailable: 503,
};

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: string,
    detail: string,
    more: { readonly errors?: Problem['errors']; readonly retryAfterSeconds?: number } = {},
  ) {
    super(detail);
    this.problem = problemOf(code, detail, more.errors);
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export function problemOf(code: string, detail: string, errors?: Problem['errors']): Problem {
  const status = statusByCode[code] ?? 422;
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Failed',
    status,
    code,
    detail,
    ...(errors ? { errors } : {}),
  };
}

/** A missing thing and another workspace's thing are answered alike. */
export function notFound(what: string): ProblemError {
  return new ProblemError('not-found', `there is no such ${what}`);
}

export function refusal(failure: Failure): ProblemError {
  return new ProblemError(failure.code, failure.detail);
}
