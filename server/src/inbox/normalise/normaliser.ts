/**
 * The first half of the drain: what has arrived is unpacked, and stored deliveries become events.
 *
 * Shards are leased by one worker at a time, several together, and read in order of commitment, so an account's events
 * reach their conversations in order. A shard whose last holder ended without giving it back is read carefully: one delivery at a
 * time, each try counted before it is made, until the batch that was open is through. What happens where a batch fails:
 * `handle-batch.ts`.
 */
import { randomUUID } from 'node:crypto';
import type { Provider } from '@switchyard/contract';
import type { Accounts } from '#accounts';
import type { Channel } from '#channels';
import { type Clock, createLoop, type Log, type Loop } from '#kernel';
import type { ProviderIdsKnown } from '#outbox';
import type { Storage } from '#storage';
import { giveBack } from '../give-back.ts';
import type { TakeAtOnce } from '../turns/turns-at-once.ts';
import { handleBatch, handleCarefully } from './handle-batch.ts';
import { LeaseLost } from './lease-lost.ts';
import { normaliseLimits } from './normalise-limits.ts';
import type { StoredDelivery } from './normalise-store.ts';
import { releaseAllOf, releaseShards, renewShards, type ShardLease } from './shard-store.ts';
import type { EventEffects } from './take-effect.ts';
import { takeUp } from './take-up.ts';

export interface NormaliserDeps {
  readonly storage: Storage;
  readonly accounts: Accounts;
  readonly channels: Readonly<Record<Provider, Channel>>;
  readonly effects: EventEffects;
  readonly worker: string;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly log: Log;
  /** Conversations have become due. */
  readonly wakeTurns: () => void;
  readonly takeAtOnce: TakeAtOnce;
  readonly releaseParked: ProviderIdsKnown;
}

export function createNormaliser(given: NormaliserDeps): Loop {
  const stopping = new AbortController();
  // What is held under this name is held by this loop, and by nobody before or beside it.
  const deps = { ...given, worker: `${given.worker} ${randomUUID()}` };
  const loop = createLoop({
    name: 'normalise',
    idleMs: normaliseLimits.idleMs,
    afterErrorMs: normaliseLimits.afterErrorMs,
    log: deps.log,
    step: () => drainSomeShards(deps, stopping.signal),
  });
  return {
    ...{ start: () => loop.start(), nudge: () => loop.nudge() },
    /** The batch under way is finished and the shard given back. */
    stop() {
      stopping.abort();
      return loop.stop();
    },
  };
}

/**
 * Batch after batch until nothing is left; each look for the next gives back the shards of the last. After a failure, also
 * one that only took the answer away, everything under this loop's name is given back as soon as the database answers.
 */
async function drainSomeShards(deps: NormaliserDeps, stopping: AbortSignal): Promise<boolean> {
  const { storage, worker, clock, leaseMs } = deps;
  const { shardsPerLease, batchCount, batchBytes } = normaliseLimits;
  const limits = { shards: shardsPerLease, deliveries: batchCount, bytes: batchBytes };
  let lease: ShardLease | null = null;
  try {
    for (;;) {
      const next = await takeUp(deps, limits, lease);
      lease = next.lease;
      if (!lease) return next.isMoreToUnpack;
      await handleTakenUp(deps, lease, next.stored);
      if (stopping.aborted) break;
    }
    await releaseShards(storage, lease);
    return true;
  } catch (error) {
    await giveBack(() => releaseAllOf(storage, worker), { clock, leaseMs, stopping });
    if (error instanceof LeaseLost) return true;
    throw error;
  }
}

function handleTakenUp(deps: NormaliserDeps, lease: ShardLease, stored: readonly StoredDelivery[]): Promise<void> {
  const writing = { ...deps, keepLease: leaseKeeper(deps, lease) };
  return lease.wasAbandoned ? handleCarefully(deps, writing, stored) : handleBatch(deps, writing, stored);
}

/** Renews when a third of the lease is over; throws LeaseLost when somebody else has it by now, and ever after. */
function leaseKeeper({ storage, clock, leaseMs }: NormaliserDeps, lease: ShardLease): () => Promise<void> {
  let heldSince = clock.elapsedMs();
  return async () => {
    const askedAt = clock.elapsedMs();
    if (askedAt - heldSince < leaseMs / 3) return;
    if (!(await renewShards(storage, lease, leaseMs))) throw new LeaseLost('a shard was taken over');
    // Only now: who was refused, or heard no answer, holds it no longer than before, and has to ask again.
    heldSince = askedAt;
  };
}
