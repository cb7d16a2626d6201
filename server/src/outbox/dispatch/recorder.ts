import { setTimeout as wait } from 'node:timers/promises';
import type { WorkspaceId } from '@switchyard/contract';
import type { Clock, Log } from '#kernel';
import type { Storage } from '#storage';
import type { ProviderIdsKnown } from '../outbox.ts';
import { createMicroBatch, type MicroBatch } from './micro-batch.ts';
import { knownIds, type Settlement, settle } from './settle-store.ts';

export interface Recorder {
  /**
   * Resolves after the commit of the batch with this outcome. Goes on trying while the database is away, then gives up
   * with an error: the lease runs out, the message becomes uncertain, and a receipt can still settle it.
   */
  record(workspaceId: WorkspaceId, settlement: Settlement): Promise<void>;
}

export interface RecorderDeps {
  readonly storage: Storage;
  readonly providerIdsKnown: ProviderIdsKnown;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly maxBatch: number;
  readonly maxRecordingMs: number;
}

const retryBaseMs = 100;
const retryCapMs = 5_000;

/** One transaction a workspace at a time; what comes meanwhile forms its next. */
export function createRecorder(deps: RecorderDeps): Recorder {
  const batches = new Map<WorkspaceId, MicroBatch<Settlement, void>>();

  function batchOf(workspaceId: WorkspaceId): MicroBatch<Settlement, void> {
    const running = batches.get(workspaceId);
    if (running) return running;
    const batch = createMicroBatch<Settlement, void>(deps.maxBatch, async (items) => {
      await recordAll(deps, workspaceId, items);
      return items.map(() => undefined);
    });
    batches.set(workspaceId, batch);
    return batch;
  }

  return {
    async record(workspaceId, settlement) {
      const batch = batchOf(workspaceId);
      try {
        await batch.add(settlement);
      } finally {
        if (batch.isIdle && batches.get(workspaceId) === batch) batches.delete(workspaceId);
      }
    },
  };
}

async function recordAll(deps: RecorderDeps, workspaceId: WorkspaceId, items: readonly Settlement[]): Promise<void> {
  const startedMs = deps.clock.elapsedMs();
  for (let failures = 0; ; failures += 1) {
    try {
      await recordOnce(deps, workspaceId, items);
      return;
    } catch (error) {
      // Settling is fenced by state, so after a commit of unknown outcome it may be said again.
      if (deps.clock.elapsedMs() - startedMs > deps.maxRecordingMs) throw error;
      deps.log.warn({ err: error, workspaceId, messages: items.length }, 'outcomes could not be recorded yet');
      await wait(deps.random() * Math.min(retryCapMs, retryBaseMs * 2 ** failures), undefined, { ref: false });
    }
  }
}

async function recordOnce(deps: RecorderDeps, workspaceId: WorkspaceId, items: readonly Settlement[]): Promise<void> {
  await deps.storage.inWorkspace(workspaceId, async (tx) => {
    const known = knownIds(await settle(tx, items));
    if (known.length > 0) await deps.providerIdsKnown(tx, known);
  });
}
