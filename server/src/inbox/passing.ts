/** What broke, and whose fault it is likely to be. */
import { StorageUnavailable } from '#storage';

/** Serialisation failure and deadlock: Postgres undid one of two transactions that met; the same work may be done again. */
const meetings: ReadonlySet<unknown> = new Set(['40001', '40P01']);

/** Two transactions met; doing the same again at once is right. */
export function isMeeting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && meetings.has(error.code);
}

/** Says little about the work itself: it is tried far more often than work that fails by its own fault. */
export function isPassing(error: unknown): boolean {
  return error instanceof StorageUnavailable || isMeeting(error);
}

/** Postgres refused the values themselves (data exceptions, broken constraints): the same values will not do later. */
export function isOfItsContent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^2[23]/.test(String(error.code));
}
