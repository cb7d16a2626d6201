import { setTimeout as wait } from 'node:timers/promises';
import type { WorkspaceId } from '@switchyard/contract';
import { type Clock, crashPoint, type Log } from '#kernel';
import { type NoteChange, type Storage, StorageUnavailable } from '#storage';
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
  readonly noteChange: NoteChange;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly maxBatch: number;
  /** How long later messages of a conversation wait for one in doubt: what is known is told well before that. */
  readonly uncertainWaitMs: number;
  readonly maxRecordingMs: number;
}

const retryBaseMs = 100;
const retryCapMs = 5_000;
/** A deadlock or a race for one provider id passes; what fails more often than this will fail again. */
const maxOtherFailures = 3;

/** One transaction a workspace at a time; what comes meanwhile forms its next. */
export function createRecorder(deps: RecorderDeps): Recorder {
  const batches = new Map<WorkspaceId, MicroBatch<Settlement, Recorded>>();

  function batchOf(workspaceId: WorkspaceId): MicroBatch<Settlement, Recorded> {
    const running = batches.get(workspaceId);
    if (running) return running;
    const write = (items: readonly Settlement[]) => recordBatch(deps, workspaceId, items);
    const batch = createMicroBatch<Settlement, Recorded>(deps.maxBatch, write);
    batches.set(workspaceId, batch);
    return batch;
  }

  return {
    async record(workspaceId, settlement) {
      const batch = batchOf(workspaceId);
      try {
        const recorded = await batch.add(settlement);
        if (recorded.kind === 'failed') throw recorded.error;
      } finally {
        if (batch.isIdle && batches.get(workspaceId) === batch) batches.delete(workspaceId);
      }
    },
  };
}

type Recorded = { readonly kind: 'recorded' } | { readonly kind: 'failed'; readonly error: unknown };

/** Together; and where that fails for another reason than a database that is away, one by one: the others are not at fault. */
async function recordBatch(
  deps: RecorderDeps,
  workspaceId: WorkspaceId,
  items: readonly Settlement[],
): Promise<readonly Recorded[]> {
  const together = await recordPatiently(deps, workspaceId, items);
  if (together.kind === 'recorded' || items.length === 1) return items.map(() => together);
  return Promise.all(items.map((item) => recordPatiently(deps, workspaceId, [item])));
}

/** While a process backs off the others may call its messages in doubt, and let later ones pass: never so long. */
function retryWaitMs(failures: number, uncertainWaitMs: number): number {
  const capMs = Math.max(retryBaseMs, Math.min(retryCapMs, uncertainWaitMs / 4));
  return Math.min(capMs, retryBaseMs * 2 ** failures);
}

/** Settling is fenced by state, so after a commit of unknown outcome it may be said again. */
async function recordPatiently(
  deps: RecorderDeps,
  workspaceId: WorkspaceId,
  items: readonly Settlement[],
): Promise<Recorded> {
  const startedMs = deps.clock.elapsedMs();
  for (let failures = 0; ; failures += 1) {
    try {
      await recordOnce(deps, workspaceId, items);
      return { kind: 'recorded' };
    } catch (error) {
      const isAway = error instanceof StorageUnavailable;
      const isTooLate = deps.clock.elapsedMs() - startedMs > deps.maxRecordingMs;
      if (isTooLate || (!isAway && failures >= maxOtherFailures)) return { kind: 'failed', error };
      deps.log.warn({ err: error, workspaceId, messages: items.length }, 'outcomes could not be recorded yet');
      await wait(deps.random() * retryWaitMs(failures, deps.uncertainWaitMs), undefined, { ref: false });
    }
  }
}

async function recordOnce(deps: RecorderDeps, workspaceId: WorkspaceId, items: readonly Settlement[]): Promise<void> {
  await deps.storage.inWorkspace(
    workspaceId,
    async (tx) => {
      const settled = await settle(tx, items);
      deps.noteChange(
        tx,
        'message',
        settled.map(({ messageId }) => messageId),
      );
      const known = knownIds(settled);
      if (known.length > 0) await deps.providerIdsKnown(tx, known);
      crashPoint('outbox.before-record');
    },
    'by-key',
  );
  crashPoint('outbox.recorded');
}
