/**
 * Replay: a delivery, and those of its events that died, go through the drain once more. Keys make what already took
 * effect stay single, so a replay repairs and never doubles. The caller rings `inboxTopic`.
 */
import type { DeliveryId, WorkspaceId } from '@switchyard/contract';
import type { Storage } from '#storage';
import { findGuestsWithDead, isEmptied, markReplayed, reviveEvents, storeAgain } from './replay-store.ts';

export interface ReplayResult {
  /** False: this workspace has no such delivery, and no dead event of it. */
  readonly isFound: boolean;
  /** Dead events that will be tried again; the delivery itself is normalised again where it is this workspace's. */
  readonly revived: number;
  /** Its body is gone by policy or by an erasure: nothing was done. */
  readonly isEmptied: boolean;
}

/**
 * A delivery of a route for all lies in the operator's workspace and its events in others: whoever has the delivery
 * replays all of it, and a workspace that has events of it replays its own.
 */
export async function replayDelivery(
  storage: Storage,
  workspaceId: WorkspaceId,
  deliveryId: DeliveryId,
): Promise<ReplayResult> {
  const { isFound, isShared, revived: own, ...rest } = await replayIn(storage, workspaceId, deliveryId);
  if (!isShared) return { isFound, revived: own, isEmptied: rest.isEmptied };
  let revived = own;
  for (const guest of await findGuestsWithDead(storage, deliveryId)) {
    if (guest !== workspaceId) revived += (await replayIn(storage, guest, deliveryId)).revived;
  }
  return { isFound: true, revived, isEmptied: false };
}

function replayIn(storage: Storage, workspaceId: WorkspaceId, deliveryId: DeliveryId) {
  return storage.inWorkspace(workspaceId, async (tx) => {
    if (await isEmptied(tx, deliveryId)) return { isFound: true, isShared: false, revived: 0, isEmptied: true };
    const stored = await storeAgain(tx, deliveryId);
    const revived = await reviveEvents(tx, deliveryId);
    await markReplayed(tx, deliveryId);
    return { isFound: stored !== null || revived > 0, isShared: stored?.isShared ?? false, revived, isEmptied: false };
  });
}
