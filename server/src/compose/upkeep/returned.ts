import type { Absence } from '#accounts';
import { oweLook, reconcileLimits } from '#inbox';
import type { Log } from '#kernel';
import type { Engines, WorkspaceTx } from '#storage';
import { spanOfGap } from './downtime.ts';
import { askForOwed } from './looks.ts';

export interface ReturnedDeps {
  readonly engines: Pick<Engines, 'jobs'>;
  readonly log: Log;
}

/**
 * An account is connected again: what its provider kept meanwhile is owed by the commit that says so, or not at all, and
 * asked for at once after it, where it can be asked. A queue that is away is no matter: the next round finds what is owed.
 */
export async function oweAbsence({ engines, log }: ReturnedDeps, tx: WorkspaceTx, absence: Absence): Promise<void> {
  const { accountId, from, until } = absence;
  if (until.getTime() - from.getTime() < reconcileLimits.downtimeMs) return;
  await oweLook(tx, accountId, spanOfGap(from, until));
  tx.afterCommit(() => {
    askForOwed(engines).catch((error: unknown) =>
      log.warn({ accountId, error: String(error) }, 'a returned account waits for the next round'),
    );
  });
}
