import type { Absence } from '#accounts';
import { reconcileLimits } from '#inbox';
import type { Log } from '#kernel';
import type { Engines } from '#storage';
import { spanOfGap } from './downtime.ts';

/**
 * An account is connected again: what its provider kept meanwhile is asked for at once, where it can be asked, and not at
 * the next hour. Never throws: the hourly look comes all the same.
 */
export function askForAbsence({ jobs }: Pick<Engines, 'jobs'>, log: Log, absence: Absence): void {
  const { workspaceId, accountId, from, until } = absence;
  if (until.getTime() - from.getTime() < reconcileLimits.downtimeMs) return;
  const span = spanOfGap(from, until);
  const payload = {
    ...{ workspaceId, accountId, reason: 'downtime' },
    ...{ from: span.from.toISOString(), until: span.until.toISOString() },
  };
  jobs
    .enqueue('maintenance', { name: 'reconcile', id: `returned-${accountId}-${until.getTime()}`, payload })
    .catch((error: unknown) => log.warn({ accountId, error: String(error) }, 'a returned account waits for the hour'));
}
