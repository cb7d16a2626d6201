/** What broke, and whose fault it is likely to be. */
import { StorageUnavailable } from '#storage';
import { DatabaseTookTooLong } from './turns/time-limit.ts';

/** Serialisation failure and deadlock: Postgres undid one of two transactions that met; the same work may be done again. */
const meetings: ReadonlySet<unknown> = new Set(['40001', '40P01']);

/** Two transactions met; doing the same again at once is right. */
export function isMeeting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && meetings.has(error.code);
}

/**
 * The statement ran until Postgres cut it off (`statement_timeout`, or somebody at a prompt). The database may be slow, or
 * the work too much for one statement: said of the same work again and again, it is the work.
 */
export function isCutOff(error: unknown): boolean {
  return sqlStateBehind(error) === '57014';
}

/** Somebody else held a row for longer than anyone waits (`lock_timeout`): of no work's making. */
export function isHeldUp(error: unknown): boolean {
  return sqlStateBehind(error) === '55P03';
}

function sqlStateBehind(error: unknown): unknown {
  const { cause } = error instanceof StorageUnavailable ? error : {};
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}

/** Says little about the work itself: it is tried far more often than work that fails by its own fault. */
export function isPassing(error: unknown): boolean {
  return error instanceof StorageUnavailable || error instanceof DatabaseTookTooLong || isMeeting(error);
}

/** Postgres refused the values themselves (data exceptions, broken constraints): the same values will not do later. */
export function isOfItsContent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^2[23]/.test(String(error.code));
}
