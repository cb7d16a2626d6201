/** I10: after the faults the backlog goes to nothing, in bounded time. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Stage } from '../stage/stage.ts';

export interface Backlog {
  readonly stored: number;
  readonly open: number;
  readonly outgoing: number;
  readonly webhooks: number;
}

const lookEveryMs = 250;

/**
 * Null when everything is done; else what was left when the time was up. Looks twice: what the provider took while the
 * first look was between it and the database is seen by the second.
 */
export async function drain(stage: Stage, withinMs: number): Promise<Backlog | null> {
  const deadline = performance.now() + withinMs;
  for (let quietLooks = 0; ; ) {
    const left = await look(stage);
    quietLooks = left && Object.values(left).every((count) => count === 0) ? quietLooks + 1 : 0;
    if (quietLooks === 2) return null;
    if (performance.now() > deadline) return left ?? { stored: -1, open: -1, outgoing: -1, webhooks: -1 };
    await wait(lookEveryMs);
  }
}

/** Uncertain ones are done when no receipt for them can come any more: when the provider has nothing open, tries under way included. */
async function look(stage: Stage): Promise<Backlog | null> {
  try {
    const stats = await stage.standIn.control<{ webhooksOpen: number }>('GET', 'stats');
    const [row] = await stage.cluster.ask<{ stored: string; open: string; outgoing: string }>(
      `SELECT (SELECT count(*) FROM inbox WHERE state = 'stored') + (SELECT COALESCE(sum(delivery_count), 0) FROM arrivals) AS stored,
         (SELECT count(*) FROM events WHERE state IN ('pending', 'parked')) AS open,
         (SELECT count(*) FROM outbox WHERE state IN ('queued', 'claimed', 'sending')) AS outgoing`,
    );
    return {
      stored: Number(row?.stored),
      open: Number(row?.open),
      outgoing: Number(row?.outgoing),
      webhooks: stats.webhooksOpen,
    };
  } catch {
    // The database is coming back; asked again.
    return null;
  }
}
