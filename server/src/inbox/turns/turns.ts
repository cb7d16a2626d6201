/**
 * The second half of the drain: one turn at a time per conversation, in order, across any number of workers.
 *
 * A worker leases due conversations (the fencing number is `lease_epoch`) and takes one turn of each, those of a workspace
 * together in one transaction (`turn-batch.ts`); what becomes due meanwhile forms the next batch. What fails together is
 * tried alone, each conversation in a transaction of its own, so that one bad turn holds up nobody else. What happens to an
 * event that fails alone: its try is counted, the conversation rests a little, and after the last try the event becomes a
 * dead letter and the conversation goes on. After a worker's death the try is counted before the turn, so that an event
 * which ends the process ends too.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkspaceId } from '@switchyard/contract';
import { crashPoint, createLoop, type Loop, ServedLately } from '#kernel';
import { type TurnDeps, type TurnWorkings, takeTurns } from './turn-batch.ts';
import { countAbandoned, giveBackLater, recordFailure } from './turn-failures.ts';
import { turnLimits } from './turn-limits.ts';
import { type ConversationLease, leaseConversations, NoLongerPending, type PendingEvent } from './turn-store.ts';

/** Work under way, with the conversations that it holds. */
type InFlight = Map<Promise<void>, { readonly workspaceId: WorkspaceId; readonly conversations: number }>;

/**
 * Leases as many conversations as there are free hands, so many of one workspace at most; a batch that takes long is not
 * waited for.
 */
export function createTurns(deps: TurnDeps): Loop {
  const stopping = new AbortController();
  const limits = { ...turnLimits, ...deps.turnLimits };
  const inFlight: InFlight = new Map();
  const served = new ServedLately<WorkspaceId>(limits.maxServedRemembered);
  const workings: TurnWorkings = { ...deps, limits, stopping: stopping.signal, wake: () => loop.nudge() };
  const loop: Loop = createLoop({
    name: 'turns',
    idleMs: limits.idleMs,
    afterErrorMs: limits.afterErrorMs,
    log: deps.log,
    step: async () => {
      const busyWorkspaces = heldOf(inFlight);
      const free = limits.conversationsAtOnce - [...busyWorkspaces.values()].reduce((sum, held) => sum + held, 0);
      if (free <= 0) {
        await Promise.race(inFlight.keys());
        return true;
      }
      const { leases, stillWaiting } = await leaseConversations(deps.storage, {
        limit: free,
        leaseMs: deps.leaseMs,
        maxPerWorkspace: limits.conversationsPerWorkspace,
        busyWorkspaces,
        servedLately: served.inOrder,
      });
      served.note(
        leases.map(({ workspaceId }) => workspaceId),
        stillWaiting,
      );
      if (leases.length > 0) crashPoint('turn.leased');
      const [abandoned, sound] = [true, false].map((was) => leases.filter((lease) => lease.wasAbandoned === was));
      const begun = beginTogether(workings, sound ?? [], inFlight);
      const wasCutShort = isCutShort(leases, busyWorkspaces, heldOf(inFlight), limits.conversationsPerWorkspace);
      if (abandoned && abandoned.length > 0) await takeAlone(workings, abandoned, inFlight);
      else await within(limits.patienceMs, begun);
      return leases.length === free || wasCutShort || (abandoned?.length ?? 0) > 0;
    },
  });
  return {
    ...{ start: () => loop.start(), nudge: () => loop.nudge() },
    /** Turns under way are finished and their conversations given back. */
    async stop() {
      stopping.abort();
      await loop.stop();
      await Promise.all(inFlight.keys());
    },
  };
}

/** One batch a workspace, all of them at once. Resolves when the last has ended. */
async function beginTogether(
  workings: TurnWorkings,
  leases: readonly ConversationLease[],
  inFlight: InFlight,
): Promise<void> {
  const batches = [...Map.groupBy(leases, (lease) => lease.workspaceId)].map(([workspaceId, batch]) => {
    const work = drainTogether(workings, batch).finally(() => {
      // What its workspace has beyond its share was left out of every look meanwhile.
      const isAtLimit = heldOf(inFlight).get(workspaceId)! >= workings.limits.conversationsPerWorkspace;
      inFlight.delete(work);
      if (isAtLimit) workings.wake();
    });
    inFlight.set(work, { workspaceId, conversations: batch.length });
    return work;
  });
  await Promise.all(batches);
}

function heldOf(inFlight: InFlight): Map<WorkspaceId, number> {
  const held = new Map<WorkspaceId, number>();
  for (const { workspaceId, conversations } of inFlight.values())
    held.set(workspaceId, (held.get(workspaceId) ?? 0) + conversations);
  return held;
}

/**
 * The look went by what was held before it: a workspace that then had its share, and by now holds less, since a batch of its
 * own ended meanwhile, may have more that is due; and none of its batches will be at the limit when it ends, to wake anyone.
 */
function isCutShort(
  leases: readonly ConversationLease[],
  heldBefore: ReadonlyMap<WorkspaceId, number>,
  heldNow: ReadonlyMap<WorkspaceId, number>,
  limit: number,
): boolean {
  return [...Map.groupBy(leases, (lease) => lease.workspaceId)].some(
    ([workspaceId, { length }]) =>
      (heldBefore.get(workspaceId) ?? 0) + length >= limit && (heldNow.get(workspaceId) ?? 0) < limit,
  );
}

async function within(patienceMs: number, work: Promise<void>): Promise<void> {
  const patience = new AbortController();
  const late = pause(patienceMs, undefined, { signal: patience.signal }).catch(() => {
    // Ended in time: nobody waits for it any more.
  });
  await Promise.race([work, late]);
  patience.abort();
}

/**
 * Those whose last holder died, one after the other with nothing else under way: should one of them end this process
 * too, its try was counted and nobody else's, so that what stood beside a poisonous message is never buried with it.
 */
async function takeAlone(
  workings: TurnWorkings,
  abandoned: readonly ConversationLease[],
  inFlight: InFlight,
): Promise<void> {
  await Promise.all(inFlight.keys());
  for (const lease of abandoned) await drainAlone(workings, lease);
}

/** Never throws: what goes wrong is recorded, or the lease runs out. */
async function drainTogether(workings: TurnWorkings, leases: readonly ConversationLease[]): Promise<void> {
  const left = leases.length === 1 ? leases : await tryTogether(workings, leases);
  await Promise.all(left.map((lease) => drainAlone(workings, lease)));
}

/** Those that want a transaction of their own: all of them where one failed. */
async function tryTogether(
  workings: TurnWorkings,
  leases: readonly ConversationLease[],
): Promise<readonly ConversationLease[]> {
  try {
    return await takeTurns(workings, leases);
  } catch (error) {
    const facts = { conversations: leases.length, error: String(error) };
    workings.log.warn(facts, 'turns failed together; each conversation is tried alone');
    return leases;
  }
}

async function drainAlone(workings: TurnWorkings, lease: ConversationLease): Promise<void> {
  try {
    if (lease.wasAbandoned) {
      if (!(await countAbandoned(workings, lease))) return;
      crashPoint('turn.try-counted');
    }
    await takeOneTurn(workings, lease);
  } catch (error) {
    const facts = { conversationId: lease.conversationId, error: String(error) };
    workings.log.error(facts, 'a conversation could not be handled; it is given back');
    await giveBackLater(workings, lease);
  }
}

async function takeOneTurn(workings: TurnWorkings, lease: ConversationLease): Promise<void> {
  let failing: PendingEvent | undefined;
  try {
    await takeTurns(workings, [lease], (begun) => {
      [failing] = begun;
    });
  } catch (error) {
    if (!failing || error instanceof NoLongerPending) throw error;
    await recordFailure(workings, lease, { next: failing, error });
  }
}
