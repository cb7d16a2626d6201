/**
 * The first half of the drain: stored deliveries become events.
 *
 * A shard is leased by one worker at a time and read in order of commitment, so an account's events reach their
 * conversations in order. A shard whose last holder ended without giving it back is read carefully: one delivery at a
 * time, each try counted before it is made, until the batch that was open is through. A delivery that keeps failing
 * becomes a dead letter, and the next one goes on.
 */
import { channelOfProvider, type Provider } from '@switchyard/contract';
import type { Accounts, RouteKind, ServingAccount } from '#accounts';
import type { Channel } from '#channels';
import { createLoop, type Log, type Loop } from '#kernel';
import { type Storage, StorageUnavailable } from '#storage';
import {
  countDeliveryAttempt,
  leaseShard,
  readStored,
  releaseShard,
  renewShard,
  type StoredDelivery,
} from './normalise-store.ts';
import { type DeliveryPlan, planDelivery } from './plan.ts';
import { type EventEffects, writePlans } from './write-plans.ts';

export const normaliseLimits = {
  batchCount: 200,
  batchBytes: 16 * 1024 * 1024,
  maxAttempts: 3,
  batchesPerLease: 50,
  idleMs: 500,
  afterErrorMs: 500,
} as const;

export interface NormaliserDeps {
  readonly storage: Storage;
  readonly accounts: Accounts;
  readonly channels: Readonly<Record<Provider, Channel>>;
  readonly effects: EventEffects;
  readonly worker: string;
  readonly leaseMs: number;
  readonly log: Log;
  /** Conversations have become due. */
  readonly wakeTurns: () => void;
}

export function createNormaliser(deps: NormaliserDeps): Loop {
  return createLoop({
    name: 'normalise',
    idleMs: normaliseLimits.idleMs,
    afterErrorMs: normaliseLimits.afterErrorMs,
    log: deps.log,
    step: () => drainOneShard(deps),
  });
}

async function drainOneShard(deps: NormaliserDeps): Promise<boolean> {
  const lease = await leaseShard(deps.storage, deps.worker, deps.leaseMs);
  if (!lease) return false;
  let isCareful = lease.wasAbandoned;
  for (let batch = 0; batch < normaliseLimits.batchesPerLease; batch += 1) {
    const stored = await readStored(deps.storage, lease.shard, normaliseLimits.batchCount, normaliseLimits.batchBytes);
    if (stored.length === 0) break;
    if (isCareful) await handleSingly(deps, stored);
    else await handleBatch(deps, stored);
    isCareful = false;
    if (!(await renewShard(deps.storage, lease, deps.leaseMs))) return true;
  }
  await releaseShard(deps.storage, lease);
  return true;
}

async function handleBatch(deps: NormaliserDeps, stored: readonly StoredDelivery[]): Promise<void> {
  try {
    const plans = await Promise.all(stored.map((delivery) => plan(deps, delivery)));
    await writePlans(deps.storage, deps.effects, plans);
    deps.wakeTurns();
  } catch (error) {
    if (error instanceof StorageUnavailable) throw error;
    deps.log.warn(
      { error: String(error), deliveries: stored.length },
      'a batch failed; handling its deliveries one by one',
    );
    await handleSingly(deps, stored);
  }
}

async function handleSingly(deps: NormaliserDeps, stored: readonly StoredDelivery[]): Promise<void> {
  for (const delivery of stored) {
    const attempts = await countDeliveryAttempt(deps.storage, delivery);
    if (attempts > normaliseLimits.maxAttempts) {
      await writePlans(deps.storage, deps.effects, [deadPlan(delivery, 'it ended the process that handled it')]);
      continue;
    }
    await handleOne(deps, delivery, attempts);
  }
  deps.wakeTurns();
}

async function handleOne(deps: NormaliserDeps, delivery: StoredDelivery, attempts: number): Promise<void> {
  try {
    await writePlans(deps.storage, deps.effects, [await plan(deps, delivery)]);
  } catch (error) {
    if (error instanceof StorageUnavailable) throw error;
    deps.log.error(
      { deliveryId: delivery.deliveryId, attempts, error: String(error) },
      'a delivery could not be handled',
    );
    if (attempts >= normaliseLimits.maxAttempts) {
      await writePlans(deps.storage, deps.effects, [deadPlan(delivery, String(error))]);
    }
  }
}

function deadPlan(delivery: StoredDelivery, detail: string): DeliveryPlan {
  return { delivery, events: [], deadLetters: [{ delivery, reason: 'failed', detail, path: '' }] };
}

async function plan(deps: NormaliserDeps, delivery: StoredDelivery): Promise<DeliveryPlan> {
  const found = await planDelivery(delivery, deps.channels[delivery.provider], (_delivery, event) =>
    delivery.accountId
      ? deps.accounts.findServing(delivery.workspaceId, delivery.accountId)
      : accountOfBindings(deps.accounts, delivery.provider, event.bindings),
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

/** Of an app-level shared route: the account by phone_number_id, else by the business account or page. */
async function accountOfBindings(
  accounts: Accounts,
  provider: Provider,
  bindings: readonly { readonly kind: string; readonly value: string }[],
): Promise<ServingAccount | null> {
  for (const kind of [
    'phone_number_id',
    'instagram_id',
    'twilio_address',
    'instance',
    'session',
    'waba_id',
  ] as const satisfies RouteKind[]) {
    const binding = bindings.find((candidate) => candidate.kind === kind);
    if (!binding) continue;
    const routed = await accounts.route(kind, binding.value);
    accounts.countRouting(
      routed.kind === 'found' ? routed.account.accountId : null,
      routed.kind === 'found' ? routed.account.workspaceId : null,
      kind,
      routed.outcome,
    );
    if (routed.kind === 'found' && routed.account.channel === channelOfProvider[provider]) return routed.account;
  }
  return null;
}
