/** One slice of an erasure after the other. */
import type { Storage, Tx } from '#storage';
import { findOperator, maskDelivery, takeBodies } from './body-store.ts';
import { lockErasure, type OpenErasure, type Purging, type SliceEnd, saveProgress } from './erasure-store.ts';
import { maskBody } from './mask-body.ts';
import { type ErasurePhase, privacyLimits } from './privacy.ts';
import { isSending, purgeEvents, purgeMessages, purgePeople } from './purge-store.ts';
import { lookForReturned, maskSetAside, type ReturnedDeps } from './returned.ts';

/** `waits`: another process has it, or a message of theirs is on its way out; look again later. */
export type SliceResult = 'more' | 'done' | 'waits';

export async function purgeSlice(deps: ReturnedDeps, erasure: OpenErasure): Promise<SliceResult> {
  const inWorkspace = await deps.storage.inWorkspace(erasure.workspaceId, async (tx) => {
    const purging = await lockErasure(tx, erasure);
    if (!purging) return 'waits' as const;
    const end =
      purging.phase === 'messages'
        ? await sliceOfMessages(tx, purging)
        : purging.phase === 'events'
          ? await sliceOfEvents(tx, purging)
          : purging.phase === 'people'
            ? await sliceOfPeople(tx, purging)
            : null;
    if (end === null) return purging.phase;
    if (end === 'waits') return end;
    await saveProgress(tx, erasure, purging, end);
    return 'more' as const;
  });
  if (inWorkspace === 'bodies') return sliceOfBodies(deps.storage, erasure);
  if (inWorkspace === 'returned') return lookBack(deps, erasure);
  return inWorkspace === 'waits' ? 'waits' : 'more';
}

type WorkspaceSlice = Parameters<Parameters<Storage['inWorkspace']>[1]>[0];

async function sliceOfMessages(tx: WorkspaceSlice, purging: Purging): Promise<SliceEnd | 'waits'> {
  const { counts, isEmpty } = await purgeMessages(tx, purging, privacyLimits.messagesPerSlice);
  if (isEmpty && (await isSending(tx, purging))) return 'waits';
  // Once they have walked over the events there is no need to do so again.
  const next: ErasurePhase = purging.cursor === eventsWalked ? 'people' : 'events';
  return { phase: isEmpty ? next : 'messages', cursor: isEmpty ? null : purging.cursor, found: counts };
}

/** In `cursor` while the phase is `messages` for a second time. */
const eventsWalked = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

async function sliceOfEvents(tx: WorkspaceSlice, purging: Purging): Promise<SliceEnd> {
  const { counts, last } = await purgeEvents(tx, purging, privacyLimits.eventsPerSlice);
  return { phase: last === null ? 'people' : 'events', cursor: last, found: counts };
}

async function sliceOfPeople(tx: WorkspaceSlice, purging: Purging): Promise<SliceEnd> {
  const counts = await purgePeople(tx, purging);
  if (counts === null) return { phase: 'messages', cursor: eventsWalked, found: {} };
  return { phase: 'bodies', cursor: null, found: counts };
}

function sliceOfBodies(storage: Storage, erasure: OpenErasure): Promise<SliceResult> {
  return storage.asWorker(async (tx: Tx) => {
    const purging = await lockErasure(tx, erasure);
    if (purging?.phase !== 'bodies') return 'waits';
    const { isLast, bodies } = await takeBodies(tx, erasure, privacyLimits.bodiesPerSlice);
    for (const body of bodies) await maskDelivery(tx, body, maskBody(body.body, body.identityValues));
    const phase = isLast ? 'returned' : 'bodies';
    await saveProgress(tx, erasure, purging, { phase, cursor: null, found: { maskedDeliveries: bodies.length } });
    return 'more';
  });
}

/**
 * Redeliveries that came before the erasure, and parts that were set aside before they became events; redeliveries that
 * come later are found by the hourly look. What came by a shared route lies in the operator's workspace.
 */
async function lookBack(deps: ReturnedDeps, erasure: OpenErasure): Promise<SliceResult> {
  const asked = await deps.storage.asWorker((tx) => lockErasure(tx, erasure));
  if (asked?.phase !== 'returned') return 'waits';
  const { identityValues, requestedAt: until } = asked;
  const operator = await findOperator(deps.storage);
  let masked = 0;
  for (const workspaceId of new Set([erasure.workspaceId, operator ?? erasure.workspaceId])) {
    masked += await lookForReturned(deps, workspaceId, null);
    if (identityValues.length === 0) continue;
    masked += await maskSetAside(deps, workspaceId, { workspaceId: erasure.workspaceId, identityValues, until });
  }
  return deps.storage.asWorker(async (tx) => {
    const purging = await lockErasure(tx, erasure);
    if (purging?.phase !== 'returned') return 'waits';
    await saveProgress(tx, erasure, purging, {
      phase: 'done',
      cursor: null,
      found: { maskedDeliveries: masked },
    });
    return 'done';
  });
}
