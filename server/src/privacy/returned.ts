/**
 * Redeliveries. A provider repeats old webhooks for days. Their events are known by their keys, which an erasure keeps,
 * so nothing comes back to life; but the raw request lies there again. It is read once more by the provider's own
 * normaliser, and what of it belongs to erased events is masked.
 */
import type { DeliveryId, Identity, InboundEvent, Provider, WorkspaceId } from '@switchyard/contract';
import type { Channel } from '#channels';
import { hashKey } from '#inbox';
import type { Storage, Tx } from '#storage';
import {
  findErasedKeys,
  findRedelivered,
  findWorkspacesToLook,
  maskDelivery,
  readMark,
  readRaw,
  writeMark,
} from './body-store.ts';
import { maskBody } from './mask-body.ts';
import { dropWaiting } from './parked-store.ts';
import { privacyLimits, type RawDelivery } from './privacy.ts';

export interface ReturnedDeps {
  readonly storage: Storage;
  readonly channels: Readonly<Record<Provider, Channel>>;
}

const markOf = (workspaceId: WorkspaceId) => `returned ${workspaceId}`;

/** Every workspace that has erased somebody, from where the last look ended. */
export async function maskReturned(deps: ReturnedDeps, signal: AbortSignal): Promise<number> {
  let masked = 0;
  for (const workspaceId of await findWorkspacesToLook(deps.storage)) {
    if (signal.aborted) break;
    masked += await dropWaitingIn(deps, workspaceId);
    const found = await lookForReturned(deps, workspaceId, await readMark(deps.storage, markOf(workspaceId)));
    masked += found.masked;
    if (found.looked) await writeMark(deps.storage, markOf(workspaceId), found.looked);
  }
  return masked;
}

/** From `after` to the end, batch by batch. */
export async function lookForReturned(deps: ReturnedDeps, workspaceId: WorkspaceId, after: string | null) {
  let masked = 0;
  let looked = after;
  for (let next: string | null = after, isFirst = true; isFirst || next !== null; isFirst = false) {
    const batch = await findRedelivered(deps.storage, workspaceId, {
      after: next,
      limit: privacyLimits.deliveriesPerLook,
    });
    for (let at = 0; at < batch.ids.length; at += privacyLimits.bodiesPerSlice)
      masked += await maskBatch(deps, workspaceId, batch.ids.slice(at, at + privacyLimits.bodiesPerSlice));
    looked = batch.looked ?? looked;
    next = batch.last;
  }
  return { masked, looked };
}

function maskBatch(deps: ReturnedDeps, workspaceId: WorkspaceId, ids: readonly DeliveryId[]): Promise<number> {
  return deps.storage.asWorker(async (tx) => {
    let masked = 0;
    for (const delivery of await readRaw(tx, workspaceId, ids)) {
      const values = await erasedIn(tx, deps.channels[delivery.provider], delivery);
      if (values === null) continue;
      await maskDelivery(tx, delivery, maskBody(delivery.body, values));
      masked += 1;
    }
    return masked;
  });
}

/** Who is named by the erased events of a delivery; null: it holds none. */
async function erasedIn(tx: Tx, channel: Channel, delivery: RawDelivery): Promise<readonly string[] | null> {
  const { events } = channel.normalise({
    headers: delivery.headers,
    target: delivery.target,
    body: delivery.body,
    receivedAt: delivery.receivedAt.toISOString(),
  });
  const hashes = events.map((event) => hashKey(delivery.provider, event));
  const erased = await findErasedKeys(tx, hashes);
  const theirs = events.filter((_event, index) => erased.has(hashes[index]!.toString('hex')));
  return theirs.length === 0 ? null : theirs.flatMap(namesIn);
}

function namesIn(event: InboundEvent): readonly string[] {
  const customer: readonly Identity[] = 'customer' in event && Array.isArray(event.customer) ? event.customer : [];
  return customer.filter(({ kind }) => kind !== 'username').map(({ value }) => value.replace(/^\+/, ''));
}

async function dropWaitingIn({ storage }: ReturnedDeps, workspaceId: WorkspaceId): Promise<number> {
  const dropped = await storage.inWorkspace(workspaceId, dropWaiting);
  if (dropped.length === 0) return 0;
  await storage.asWorker(async (tx) => {
    const values = new Map(dropped.map((one) => [one.deliveryId, one.values]));
    for (const delivery of await readRaw(tx, workspaceId, [...values.keys()] as DeliveryId[]))
      await maskDelivery(tx, delivery, maskBody(delivery.body, values.get(delivery.id) ?? []));
  });
  return dropped.length;
}
