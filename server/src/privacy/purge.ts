/** One slice of an erasure after the other. */
import { toPublicId } from '@switchyard/contract';
import type { Companions } from '#accounts';
import type { Log } from '#kernel';
import type { Storage, Tx } from '#storage';
import { findOperator, maskDelivery, takeBodies } from './body-store.ts';
import {
  lockErasure,
  noteFailure,
  type OpenErasure,
  type Purging,
  type SliceEnd,
  saveProgress,
} from './erasure-store.ts';
import { maskBody } from './mask-body.ts';
import { type ErasurePhase, type PurgeEnd, privacyLimits } from './privacy.ts';
import { isSending, purgeEvents, purgeMessages, purgePeople } from './purge-store.ts';
import { lookForReturned, maskSetAside, type ReturnedDeps } from './returned.ts';

type SliceResult = 'more' | PurgeEnd;

export interface PurgeDeps extends ReturnedDeps {
  readonly companions: Pick<Companions, 'forgetPeople'>;
  readonly log: Log;
}

/** As far as it comes now. Where it fails, the others go on all the same; throws only where that could not even be noted. */
export async function purgeOrNote(deps: PurgeDeps, erasure: OpenErasure, signal: AbortSignal): Promise<PurgeEnd> {
  try {
    return await purgeAsFar(deps, erasure, signal);
  } catch (error) {
    const failure = kindOf(error);
    deps.log.error(
      { erasure: toPublicId('erasure', erasure.id), failure },
      'an erasure stands still; it is tried again',
    );
    await noteFailure(deps.storage, erasure, failure);
    return 'failed';
  }
}

/** No words of it: those of a database may quote whom it was about. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error';
  const code = codeOf(error) ?? codeOf(error.cause);
  return code === undefined ? error.name : `${error.name} ${code}`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Slice after slice. */
async function purgeAsFar(deps: PurgeDeps, erasure: OpenErasure, signal: AbortSignal): Promise<PurgeEnd> {
  while (!signal.aborted) {
    const result = await purgeSlice(deps, erasure);
    if (result !== 'more') return result;
  }
  return 'stopped';
}

async function purgeSlice(deps: PurgeDeps, erasure: OpenErasure): Promise<SliceResult> {
  const result = await deps.storage.inWorkspace(erasure.workspaceId, async (tx) => {
    const purging = await lockErasure(tx, erasure);
    if (!purging) return 'held';
    const end = await sliceIn(deps, tx, purging);
    if (typeof end === 'string') return end;
    await saveProgress(tx, erasure, purging, end);
    return 'more';
  });
  if (result === 'bodies') return sliceOfBodies(deps.storage, erasure);
  return result === 'returned' ? lookBack(deps, erasure) : result;
}

type WorkspaceSlice = Parameters<Parameters<Storage['inWorkspace']>[1]>[0];

/** A phase: its slices are not of the workspace's transactions. */
async function sliceIn(
  deps: PurgeDeps,
  tx: WorkspaceSlice,
  purging: Purging,
): Promise<SliceEnd | 'sending' | 'held' | 'bodies' | 'returned'> {
  switch (purging.phase) {
    case 'messages':
      return sliceOfMessages(tx, purging);
    case 'events':
      return sliceOfEvents(tx, purging);
    case 'people':
      return sliceOfPeople(deps, tx, purging);
    case 'bodies':
    case 'returned':
      return purging.phase;
    case 'done':
      return 'held';
    default: {
      const never: never = purging.phase;
      return never;
    }
  }
}

async function sliceOfMessages(tx: WorkspaceSlice, purging: Purging): Promise<SliceEnd | 'sending'> {
  const { counts, isEmpty } = await purgeMessages(tx, purging, privacyLimits.messagesPerSlice);
  if (isEmpty && (await isSending(tx, purging))) return 'sending';
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

async function sliceOfPeople({ companions }: PurgeDeps, tx: WorkspaceSlice, purging: Purging): Promise<SliceEnd> {
  const counts = await purgePeople(tx, purging);
  if (counts === null) return { phase: 'messages', cursor: eventsWalked, found: {} };
  const sessionKeys = await companions.forgetPeople(tx, purging.identityValues);
  return { phase: 'bodies', cursor: null, found: { ...counts, sessionKeys } };
}

function sliceOfBodies(storage: Storage, erasure: OpenErasure): Promise<SliceResult> {
  return storage.asWorker(async (tx: Tx) => {
    const purging = await lockErasure(tx, erasure);
    if (purging?.phase !== 'bodies') return 'held';
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
  if (asked?.phase !== 'returned') return 'held';
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
    if (purging?.phase !== 'returned') return 'held';
    await saveProgress(tx, erasure, purging, {
      phase: 'done',
      cursor: null,
      found: { maskedDeliveries: masked },
    });
    return 'done';
  });
}
