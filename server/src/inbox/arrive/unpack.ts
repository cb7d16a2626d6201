/**
 * Arrivals become deliveries and inbox rows: the step between what the gateway stored and what the normaliser reads.
 * Whoever wants to see deliveries may take it: the drain does all the time, a list does before it looks.
 */
import type { Log } from '#kernel';
import type { Row, Statement, Storage } from '#storage';
import { isOfItsContent } from '../passing.ts';
import {
  divideArrival,
  findOldestArrival,
  type MoveLimits,
  moveArrival,
  moveStatement,
  setArrivalAside,
} from './arrivals-store.ts';

export const unpackLimits: MoveLimits = { rows: 64, bytes: 16 * 1024 * 1024 };

export interface UnpackDeps {
  readonly storage: Storage;
  readonly log: Log;
}

/** The move of some of what has arrived, oldest first. */
export const unpackStatement: Statement = moveStatement(unpackLimits);

/**
 * Moves some of what has arrived, oldest first; true when there may be more. Throws StorageUnavailable when the database
 * is away. What the database refuses does not hold up the rest: it is divided until the one delivery at fault is alone,
 * and that is set aside with the reason.
 */
export async function unpackArrivals(deps: UnpackDeps): Promise<boolean> {
  const { text, values, name } = unpackStatement;
  try {
    return mayBeMore(await deps.storage.workerStatement(text, values, name));
  } catch (error) {
    return unpackAfter(error, deps);
  }
}

export function mayBeMore(rows: readonly Row[]): boolean {
  const moved = rows[0] as MoveLimits | undefined;
  // A row that was too large to come along is no larger than a batch of the receiver, about half of the limit.
  return moved !== undefined && (moved.rows === unpackLimits.rows || moved.bytes > unpackLimits.bytes / 3);
}

/** So much at most, where somebody looks for one delivery that may be among the newest while nobody else unpacks. */
const movesBeforeSearch = 16;

/** Moves what has arrived, as far as a search may wait for it. Throws StorageUnavailable when the database is away. */
export async function unpackForSearch(deps: UnpackDeps): Promise<void> {
  for (let moves = 0; moves < movesBeforeSearch; moves += 1) if (!(await unpackArrivals(deps))) return;
}

/** The statement failed: the oldest arrival alone, where its content is at fault. Throws what is not of its content. */
export async function unpackAfter(error: unknown, { storage, log }: UnpackDeps): Promise<boolean> {
  if (!isOfItsContent(error)) throw error;
  log.error({ error: String(error) }, 'arrivals could not be unpacked together; unpacking the oldest alone');
  return unpackOldest({ storage, log });
}

async function unpackOldest({ storage, log }: UnpackDeps): Promise<boolean> {
  const oldest = await findOldestArrival(storage);
  if (!oldest) return false;
  try {
    await moveArrival(storage, oldest);
  } catch (error) {
    if (!isOfItsContent(error)) throw error;
    if (oldest.deliveries > 1) {
      await divideArrival(storage, oldest);
    } else {
      log.error({ ...oldest, error: String(error) }, 'a delivery could not be unpacked and is set aside');
      await setArrivalAside(storage, oldest, String(error));
    }
  }
  return true;
}
