/** Gives a lease back although the database may be away: else it would be taken for one whose holder died. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '#kernel';
import { StorageUnavailable } from '#storage';

export const giveBackLimits = { pauseMs: 500 } as const;

/**
 * Tries until it is done, the lease has run out by itself, or `stopping` is signalled (then once). Never throws
 * StorageUnavailable: a lease that could not be given back runs out.
 */
export async function giveBack(
  release: () => Promise<unknown>,
  { clock, leaseMs, stopping }: { readonly clock: Clock; readonly leaseMs: number; readonly stopping: AbortSignal },
): Promise<void> {
  const until = clock.elapsedMs() + leaseMs;
  do {
    try {
      await release();
      return;
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
    }
    await pause(giveBackLimits.pauseMs);
  } while (clock.elapsedMs() < until && !stopping.aborted);
}
