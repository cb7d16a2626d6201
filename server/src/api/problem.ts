/** Failure to HTTP, in one table (RFC 9457 problem details with a stable `code`). */
import { STATUS_CODES } from 'node:http';
import type { Failure, Problem } from '@switchyard/contract';

/** Codes whose status is not simply 422, "understood, and it cannot be done". */
const statusByCode: Readonly<Record<string, number>> = {
  'invalid-request': 400,
  'malformed-json': 400,
  unauthenticated: 401,
  'key-ended': 401,
  'wrong-credentials': 401,
  'wrong-code': 401,
  'log-in-over': 401,
  forbidden: 403,
  'wrong-origin': 403,
  'https-needed': 403,
  'step-up-needed': 403,
  'not-found': 404,
  'account-exists': 409,
  'account-limit': 409,
  'account-inactive': 409,
  'account-removed': 409,
  'already-claimed': 409,
  'already-member': 409,
  'last-owner': 409,
  'second-factor-exists': 409,
  'no-second-factor': 409,
  'invitation-over': 410,
  'connection-forbids': 409,
  'already-connected': 409,
  'email-taken': 409,
  'changed-meanwhile': 409,
  'idempotency-running': 409,
  'idempotency-unsettled': 409,
  'not-uncertain': 409,
  'not-removed': 409,
  'nothing-to-undo': 409,
  'phone-taken': 409,
  'rotation-open': 409,
  'route-taken': 409,
  'settings-active': 409,
  'slug-taken': 409,
  'too-many-workspaces': 409,
  'token-current': 409,
  'webhook-changed': 409,
  'too-large': 413,
  'wrong-content-type': 415,
  'slow-down': 429,
  failed: 500,
  busy: 503,
  unavailable: 503,
};

/** A room's own code where the interface has a wider one: whose thing is missing is told by the words. */
const publicCodes: Readonly<Record<string, string>> = {
  'account-not-found': 'not-found',
  'member-not-found': 'not-found',
  'token-not-found': 'not-found',
  'workspace-not-found': 'not-found',
  'invitation-not-found': 'not-found',
};

interface ProblemFacts {
  readonly errors?: Problem['errors'];
  readonly state?: string;
  readonly retryAfterSeconds?: number;
}

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, detail: string, more: ProblemFacts = {}) {
    super(detail);
    this.problem = problemOf(code, detail, more);
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export function problemOf(code: string, detail: string, { errors, state }: ProblemFacts = {}): Problem {
  const status = statusByCode[code] ?? 422;
  const title = STATUS_CODES[status] ?? 'Failed';
  return {
    type: 'about:blank',
    title,
    status,
    code,
    detail,
    ...(errors ? { errors } : {}),
    ...(state === undefined ? {} : { state }),
  };
}

/** A missing thing, another workspace's thing and an id of a wrong shape are answered alike. */
export function notFound(what: string): ProblemError {
  return new ProblemError('not-found', `there is no such ${what}`);
}

/** Rooms write their codes in several hands; people see one: small letters and dashes. */
export function refusal(failure: Failure): ProblemError {
  const code = failure.code
    .replaceAll('_', '-')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '-')
    .toLowerCase();
  const shown = publicCodes[code] ?? code;
  if (shown === 'not-found') return notFound(failure.code.split(/[_-]/)[0] ?? 'thing');
  const wait = failure.retry.kind === 'later' ? failure.retry.afterMs : undefined;
  return new ProblemError(shown, failure.detail, {
    ...(wait === undefined ? {} : { retryAfterSeconds: Math.ceil(wait / 1_000) }),
    ...(failure.state === undefined ? {} : { state: failure.state }),
  });
}
