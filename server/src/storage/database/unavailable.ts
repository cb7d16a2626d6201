import { StorageUnavailable } from '../storage.ts';

/**
 * "Could not ask" is not "is not there": which failures mean that the database did not answer the question. SQLSTATE
 * classes 08 (connection), 53 (resources: disk, memory, connections), 57P (shutting down, starting), 58 (its disk), and
 * a statement that was cut off by our own time-outs; and whatever the operating system or the stream to the database refused,
 * since that is never the statement's doing (no file left, no port left, a connection that was given up).
 */
const unavailableCodes = new Set([
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

/**
 * `ECONNREFUSED`, `EMFILE`, `EAI_AGAIN`. Postgres has no SQLSTATE of this form. Node's own `ERR_` are mostly said of a wrong
 * argument, so of those only what is said of streams and sockets that are no more.
 */
const systemCode = /^E(?!RR_)[A-Z][A-Z0-9_]+$/;
const brokenStreamCode = /^ERR_(STREAM_(DESTROYED|WRITE_AFTER_END|ALREADY_FINISHED|PREMATURE_CLOSE)|SOCKET_|TLS_|SSL_)/;

const unavailableClasses = ['08', '53', '58'];

/** What pg throws without a code when a connection ends or goes silent under a query, or cannot be made in time. */
const brokenMessage =
  /connection terminated|connection ended|not queryable|timeout exceeded when trying to connect|timeout expired|query read timeout/i;

export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StorageUnavailable) return true;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (unavailableCodes.has(code) || 'syscall' in error) return true;
  if (systemCode.test(code) || brokenStreamCode.test(code)) return true;
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
