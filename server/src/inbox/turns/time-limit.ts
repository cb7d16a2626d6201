import type { Clock } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { WaitedTx } from './waited-tx.ts';

/** The work did not end in its time; whatever it still does must find its transaction closed. */
export class TookTooLong extends Error {
  override readonly name: string = 'TookTooLong';
}

/** It did not, but it was the database that took the time: this says little about the work. */
export class DatabaseTookTooLong extends TookTooLong {
  override readonly name = 'DatabaseTookTooLong';
}

/** A database that took this much of the time is what was slow, even if it has just answered. */
const shareOfDatabase = 3 / 4;

export async function within<T>(
  limitMs: number,
  work: () => Promise<T>,
  lateness: () => TookTooLong = () => new TookTooLong(`it took longer than ${limitMs} ms`),
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(lateness()), limitMs);
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same for work in a transaction: throws DatabaseTookTooLong where a statement is unanswered then, or most time went so. */
export function withinTransaction<T>(
  limitMs: number,
  { tx, clock }: { readonly tx: WorkspaceTx; readonly clock: Clock },
  work: (tx: WorkspaceTx) => Promise<T>,
): Promise<T> {
  const waited = new WaitedTx(tx, clock);
  return within(
    limitMs,
    () => work(waited),
    () => {
      const isOfDatabase = waited.isWaiting || waited.waitedMs >= limitMs * shareOfDatabase;
      if (!isOfDatabase) return new TookTooLong(`it took longer than ${limitMs} ms`);
      const share = `${Math.round(waited.waitedMs)} ms of them waiting for the database`;
      return new DatabaseTookTooLong(`it took longer than ${limitMs} ms, ${share}`);
    },
  );
}
