import { StorageUnavailable } from '../storage.ts';

/**
 * "Could not ask" is not "is not there": which failures mean that the database did not answer the question. SQLSTATE
 * classes 08 (connection), 53 (resources: disk, memory, connections), 57P (shutting down, starting), 58 (its disk), and
 * a statement that was cut off by our own time-outs.
 */
const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '25006', // read-only: a standby after a fail-over
  '28P01', // the password was changed under us
  '55P03', // lock_timeout
  '57014', // statement_timeout
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03', // idle_in_transaction_session_timeout
]);

const unavailableClasses = ['08', '53', '58'];

/** What pg throws without a code when a connection ends under a query or cannot be made in time. */
const brokenMessage =
  /connection terminated|connection ended|not queryable|timeout exceeded when trying to connect|timeout expired/i;

export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StorageUnavailable) return true;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (unavailableCodes.has(code)) return true;
  if (/^[0-9A-Z]{5}$/.test(code) && unavailableClasses.includes(code.slice(0, 2))) return true;
  // Several addresses of one host name, all refused.
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isUnavailable);
  return code === '' && brokenMessage.test(error.message);
}

/** Any error of pg as what callers may see: StorageUnavailable, or itself. */
export function translate(error: unknown): unknown {
  if (error instanceof StorageUnavailable || !isUnavailable(error)) return error;
  const reason = error instanceof Error ? error.message || String((error as { code?: unknown }).code) : String(error);
  return new StorageUnavailable(`the database could not be asked: ${reason}`, { cause: error });
}
