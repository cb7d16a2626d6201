import type { Absence } from '#accounts';
import { oweLook, reconcileLimits } from '#inbox';
import type { Log } from '#kernel';
import type { Engines, Storage } from '#storage';
import { spanOfGap } from './downtime.ts';
import { askForOwed } from './looks.ts';

export interface ReturnedDeps {
  readonly storage: Pick<Storage, 'inWorkspace'>;
  readonly engines: Pick<Engines, 'jobs'>;
  readonly log: Log;
}

/**
 * An account is connected again: what its provider kept meanwhile is owed, and asked for at once, where it can be asked, and
 * not at the next hour. Never rejects: where it could not be written down, the hourly look comes all the same.
 */
export async function askForAbsence({ storage, engines, log }: ReturnedDeps, absence: Absence): Promise<void> {
  const { workspaceId, accountId, from, until } = absence;
  if (until.getTime() - from.getTime() < reconcileLimits.downtimeMs) return;
  try {
    await storage.inWorkspace(workspaceId, (tx) => oweLook(tx, accountId, spanOfGap(from, until)));
    await askForOwed(engines);
  } catch (error) {
    log.warn({ accountId, error: String(error) }, 'a returned account waits for the next round');
  }
}
