/**
 * The first half of the drain: what has arrived is unpacked, and stored deliveries become events.
 *
 * Shards are leased by one worker at a time, several together, and read in order of commitment, so an account's events
 * reach their conversations in order. A shard whose last holder ended without giving it back is read carefully: one delivery at a
 * time, each try counted before it is made, until the batch that was open is through. A delivery that keeps failing
 * is taken apart: what of it cannot be written becomes a dead letter, the rest takes effect, and the next one goes on.
 */
import { setTimeout as pause, setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Provider } from '@switchyard/contract';
import type { Accounts } from '#accounts';
import type { Channel } from '#channels';
import { type Clock, crashPoint, createLoop, type Log, type Loop } from '#kernel';
import type { ProviderIdsKnown } from '#outbox';
import { type Storage, StorageUnavailable } from '#storage';
import { giveBack } from '../give-back.ts';
import { isMeeting } from '../passing.ts';
import type { TakeAtOnce } from '../turns/turns-at-once.ts';
import { accountOfEvent } from './account-of-event.ts';
import { LeaseLost } from './lease-lost.ts';
import { countDeliveryAttempt, type StoredDelivery } from './normalise-store.ts';
import { type DeliveryPlan, planDelivery } from './plan.ts';
import { releaseShards, renewShards, type ShardLease } from './shard-store.ts';
import type { EventEffects, Writing } from './take-effect.ts';
import { takeUp } from './take-up.ts';
import { writeApart, writePlans } from './write-plans.ts';

export const normaliseLimits = {
  batchCount: 200,
  batchBytes: 8 * 1024 * 1024,
  maxAttempts: 3,
  /** Of processes that died over one delivery; some may have been killed from outside. */
  maxDeaths: 6,
  /** Half of them: a second worker finds some free. */
  shardsPerLease: 8,
  /** Two transactions that met are tried again this often before the batch is taken apart. */
  maxMeetings: 5,
  retryPauseMs: 50,
  /** What is read of bodies before others get their turn: the gateway may live in this process. */
  bytesBetweenYields: 256 * 1024,
  idleMs: 500,
  afterErrorMs: 500,
} as const;

const { batchCount, batchBytes, shardsPerLease } = normaliseLimits;

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

export function createNormaliser(deps: NormaliserDeps): Loop {
  const stopping = new AbortController();
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

/** Batch after batch until nothing is left; each look for the next gives back the shards of the last. */
async function drainSomeShards(deps: NormaliserDeps, stopping: AbortSignal): Promise<boolean> {
  const { storage, clock, leaseMs } = deps;
  const limits = { shards: shardsPerLease, deliveries: batchCount, bytes: batchBytes };
  let lease: ShardLease | null = null;
  try {
    for (;;) {
      const next = await takeUp(deps, stopping, limits, lease);
      lease = next.lease;
      if (!lease) return next.isMoreToUnpack;
      await handleTakenUp(deps, lease, next.stored);
      if (stopping.aborted) break;
    }
    await releaseShards(storage, lease);
    return true;
  } catch (error) {
    if (error instanceof LeaseLost) return true;
    const held = lease;
    if (held) await giveBack(() => releaseShards(storage, held), { clock, leaseMs, stopping });
    throw error;
  }
}

function handleTakenUp(deps: NormaliserDeps, lease: ShardLease, stored: readonly StoredDelivery[]): Promise<void> {
  const writing = { ...deps, keepLease: leaseKeeper(deps, lease) };
  return lease.wasAbandoned ? handleCarefully(deps, theLongWay(writing), stored) : handleBatch(deps, writing, stored);
}

/** Renews when a third of the lease is over; throws LeaseLost when somebody else has it by now. */
function leaseKeeper({ storage, clock, leaseMs }: NormaliserDeps, lease: ShardLease): () => Promise<void> {
  let heldSince = clock.elapsedMs();
  return async () => {
    if (clock.elapsedMs() - heldSince < leaseMs / 3) return;
    heldSince = clock.elapsedMs();
    if (!(await renewShards(storage, lease, leaseMs))) throw new LeaseLost('a shard was taken over');
  };
}

async function handleBatch(deps: NormaliserDeps, writing: Writing, stored: readonly StoredDelivery[]): Promise<void> {
  try {
    const plans = await planAll(deps, stored);
    crashPoint('normalise.planned');
    await overMeetings(() => writePlans(writing, plans));
  } catch (error) {
    if (error instanceof StorageUnavailable || error instanceof LeaseLost) throw error;
    deps.log.warn(
      { error: String(error), deliveries: stored.length },
      'a batch failed; handling its deliveries one by one',
    );
    for (const delivery of stored) await handleOne(deps, theLongWay(writing), delivery);
  }
}

/** Where something went wrong, each turn is taken by itself, with its tries counted. */
function theLongWay(writing: Writing): Writing {
  return { ...writing, takeAtOnce: null };
}

async function planAll(deps: NormaliserDeps, stored: readonly StoredDelivery[]): Promise<readonly DeliveryPlan[]> {
  const plans: DeliveryPlan[] = [];
  let bytes = 0;
  for (const delivery of stored) {
    plans.push(await plan(deps, delivery));
    bytes += delivery.body.length;
    if (bytes < normaliseLimits.bytesBetweenYields) continue;
    bytes = 0;
    await yieldToOthers();
  }
  return plans;
}

async function overMeetings(write: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (!isMeeting(error) || tries >= normaliseLimits.maxMeetings) throw error;
    }
  }
}

async function handleCarefully(
  deps: NormaliserDeps,
  writing: Writing,
  stored: readonly StoredDelivery[],
): Promise<void> {
  for (const delivery of stored) {
    const attempts = await countDeliveryAttempt(deps.storage, delivery);
    if (attempts <= normaliseLimits.maxDeaths) await handleOne(deps, writing, delivery);
    else await writePlans(writing, [deadPlan(delivery, 'it ended the process that handled it')]);
  }
}

/** Tries at once and again, so that what came after it does not overtake it; in the end it is handled or dead. */
async function handleOne(deps: NormaliserDeps, writing: Writing, delivery: StoredDelivery): Promise<void> {
  for (let tries = 1; tries <= normaliseLimits.maxAttempts; tries += 1) {
    try {
      const plans = await planAll(deps, [delivery]);
      await overMeetings(() => writePlans(writing, plans));
      return;
    } catch (error) {
      if (error instanceof StorageUnavailable || error instanceof LeaseLost) throw error;
      const facts = { deliveryId: delivery.deliveryId, tries, error: String(error) };
      deps.log.error(facts, 'a delivery could not be handled');
      if (tries === normaliseLimits.maxAttempts) await takeApart(deps, writing, { delivery, error });
      else await pause(normaliseLimits.retryPauseMs * tries);
    }
  }
}

async function takeApart(
  deps: NormaliserDeps,
  writing: Writing,
  failing: { readonly delivery: StoredDelivery; readonly error: unknown },
): Promise<void> {
  const planned = await planOrNothing(deps, failing.delivery);
  await writeApart(writing, planned ?? deadPlan(failing.delivery, String(failing.error)));
}

/** null: it cannot even be read, and so has no parts. */
async function planOrNothing(deps: NormaliserDeps, delivery: StoredDelivery): Promise<DeliveryPlan | null> {
  try {
    return await plan(deps, delivery);
  } catch (error) {
    if (error instanceof StorageUnavailable) throw error;
    return null;
  }
}

function deadPlan(delivery: StoredDelivery, detail: string): DeliveryPlan {
  return { delivery, events: [], deadLetters: [{ delivery, reason: 'failed', detail, path: '' }] };
}

async function plan(deps: NormaliserDeps, delivery: StoredDelivery): Promise<DeliveryPlan> {
  const found = await planDelivery(delivery, deps.channels[delivery.provider], (from, event) =>
    accountOfEvent(deps.accounts, from, event),
  );
  for (const letter of found.deadLetters) {
    if (letter.reason !== 'foreign-account') continue;
    deps.log.error(
      { deliveryId: delivery.deliveryId, accountId: delivery.accountId, path: letter.path },
      'authentic but not its own: a delivery names another account',
    );
  }
  return found;
}
