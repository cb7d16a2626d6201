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
  type FoundBody,
  findAllReadBefore,
  findErasedKeys,
  findHolders,
  findRedelivered,
  findSetAsideNaming,
  findWorkspacesToLook,
  type Looked,
  type LookSlice,
  maskDelivery,
  type Named,
  readMark,
  readRaw,
  writeMark,
} from './body-store.ts';
import { maskBody } from './mask-body.ts';
import { accountsNamedIn, type NamedAccount } from './named-account.ts';
import { dropWaiting, findWaiting } from './parked-store.ts';
import { privacyLimits, type RawDelivery } from './privacy.ts';

export interface ReturnedDeps {
  readonly storage: Storage;
  readonly channels: Readonly<Record<Provider, Channel>>;
}

const markOf = (workspaceId: WorkspaceId) => `returned ${workspaceId}`;

/** Every workspace that has erased somebody, from where the last look ended. One that fails is thrown when all had their turn. */
export async function maskReturned(deps: ReturnedDeps, signal: AbortSignal): Promise<number> {
  let masked = 0;
  const failures: unknown[] = [];
  for (const workspaceId of await findWorkspacesToLook(deps.storage)) {
    if (signal.aborted) break;
    try {
      masked += await maskReturnedIn(deps, workspaceId);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} workspaces could not be looked over`);
  return masked;
}

async function maskReturnedIn(deps: ReturnedDeps, workspaceId: WorkspaceId): Promise<number> {
  const dropped = await dropWaitingIn(deps, workspaceId);
  // Before the look: what is read while it lasts is older than the mark neither then nor later.
  const mark = await findAllReadBefore(deps.storage, workspaceId);
  const masked = await lookForReturned(deps, workspaceId, await readMark(deps.storage, markOf(workspaceId)));
  await writeMark(deps.storage, markOf(workspaceId), mark);
  return dropped + masked;
}

/** From `after` to the end, batch by batch; gives how many it masked. */
export function lookForReturned(deps: ReturnedDeps, workspaceId: WorkspaceId, after: string | null): Promise<number> {
  return lookOver(after, {
    limit: privacyLimits.deliveriesPerLook,
    find: (slice) => findRedelivered(deps.storage, workspaceId, slice),
    mask: (ids) => maskBatch(deps, workspaceId, ids),
  });
}

/** What was set aside in a workspace and names somebody; it may be of the time before they were asked to be erased. */
export function maskSetAside({ storage }: ReturnedDeps, workspaceId: WorkspaceId, named: Named): Promise<number> {
  return lookOver(null, {
    limit: privacyLimits.setAsidePerLook,
    find: (slice) => findSetAsideNaming(storage, workspaceId, { ...slice, named }),
    mask: (ids) =>
      storage.asWorker(async (tx) => {
        const raw = await readRaw(tx, workspaceId, ids);
        // Another process may have been here since: what names them no more is not emptied for that.
        const naming = raw.filter(({ body }) => named.identityValues.some((value) => body.includes(value)));
        let masked = 0;
        for (const one of naming) {
          if (!(await mayBeOf(tx, named.workspaceId, one))) continue;
          await maskDelivery(tx, one, maskBody(one.body, named.identityValues));
          masked += 1;
        }
        return masked;
      }),
  });
}

/** Of what came by a shared route: it names an account of this workspace, or none of anybody here. */
async function mayBeOf(
  tx: Tx,
  workspaceId: WorkspaceId,
  { accountId, body }: Pick<FoundBody, 'accountId' | 'body'>,
): Promise<boolean> {
  if (accountId !== null) return true;
  const { telling, all } = accountsNamedIn(body);
  const holders = await findHolders(tx, all);
  const isTelling = (one: NamedAccount) => telling.some(({ kind, key }) => kind === one.kind && key === one.key);
  return holders.length === 0 || holders.some((one) => one.workspaceId === workspaceId && isTelling(one));
}

interface Look {
  /** Deliveries in one statement. */
  readonly limit: number;
  readonly find: (slice: LookSlice) => Promise<Looked>;
  readonly mask: (ids: readonly DeliveryId[]) => Promise<number>;
}

async function lookOver(after: string | null, { limit, find, mask }: Look): Promise<number> {
  const { bodiesPerSlice } = privacyLimits;
  let masked = 0;
  for (let next: string | null = after, isFirst = true; isFirst || next !== null; isFirst = false) {
    const found: Looked = await find({ after: next, limit });
    for (let at = 0; at < found.ids.length; at += bodiesPerSlice)
      masked += await mask(found.ids.slice(at, at + bodiesPerSlice));
    next = found.last;
  }
  return masked;
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

/** Masked first: a kill in between finds them waiting again. */
async function dropWaitingIn({ storage }: ReturnedDeps, workspaceId: WorkspaceId): Promise<number> {
  const waiting = await storage.inWorkspace(workspaceId, findWaiting);
  if (waiting.length === 0) return 0;
  const byDelivery = Map.groupBy(waiting, ({ deliveryId }) => deliveryId);
  await storage.asWorker(async (tx) => {
    for (const delivery of await readRaw(tx, workspaceId, [...byDelivery.keys()])) {
      const values = (byDelivery.get(delivery.id) ?? []).flatMap(({ identityValues }) => identityValues);
      await maskDelivery(tx, delivery, maskBody(delivery.body, values));
    }
  });
  const eventIds = waiting.map(({ eventId }) => eventId);
  await storage.inWorkspace(workspaceId, (tx) => dropWaiting(tx, eventIds));
  return waiting.length;
}
