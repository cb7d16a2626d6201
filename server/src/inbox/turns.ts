/**
 * The second half of the drain: one turn at a time per conversation, in order, across any number of workers.
 *
 * A worker leases due conversations (the fencing number is `lease_epoch`), then handles each one's pending events, every
 * turn in a transaction of its own that begins by locking the conversation under its epoch and ends with the event
 * settled. What happens to a failing event: its try is counted, the conversation rests a little, and after the last try
 * the event becomes a dead letter and the conversation goes on. After a worker's death the try is counted before the
 * turn, so that an event which ends the process ends too.
 */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Capabilities } from '#channels';
import type { Conversation } from '#conversations';
import { type Clock, crashPoint, createLoop, type Log, type Loop, newId } from '#kernel';
import type { Pipeline, TurnOutcome } from '#pipeline';
import type { NoteChange, Storage, WorkspaceTx } from '#storage';
import { within } from './time-limit.ts';
import { bury, countAbandoned, giveBackLater, recordFailure, type TurnKeeping } from './turn-failures.ts';
import { type TurnLimits, turnLimits } from './turn-limits.ts';
import {
  type ConversationLease,
  endTurn,
  leaseConversations,
  type PendingEvent,
  releaseConversation,
  startTurn,
} from './turn-store.ts';

export interface TurnDeps {
  readonly storage: Storage;
  readonly pipeline: Pipeline;
  readonly findServing: (workspaceId: WorkspaceId, accountId: AccountId) => Promise<ServingAccount | null>;
  readonly loadConversation: (tx: WorkspaceTx, id: ConversationLease['conversationId']) => Promise<Conversation | null>;
  readonly capabilitiesOf: (account: ServingAccount) => Capabilities;
  /** Events that waited for this provider message id can go on. */
  readonly releaseParked: (tx: WorkspaceTx, accountId: AccountId, providerMessageId: string) => Promise<void>;
  readonly noteChange: NoteChange;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly log: Log;
  readonly turnLimits?: Partial<TurnLimits>;
}

/** The parts with everything filled in. */
type Workings = TurnDeps & TurnKeeping;

/** Leases as many conversations as there are free hands, and takes new ones as hands become free. */
export function createTurns(deps: TurnDeps): Loop {
  const stopping = new AbortController();
  const limits = { ...turnLimits, ...deps.turnLimits };
  const inFlight = new Set<Promise<void>>();
  const workings: Workings = { ...deps, limits, stopping: stopping.signal, wake: () => loop.nudge() };
  const loop: Loop = createLoop({
    name: 'turns',
    idleMs: limits.idleMs,
    afterErrorMs: limits.afterErrorMs,
    log: deps.log,
    step: async () => {
      const free = limits.conversationsAtOnce - inFlight.size;
      if (free <= 0) {
        await Promise.race(inFlight);
        return true;
      }
      const leases = await leaseConversations(deps.storage, free, deps.leaseMs);
      if (leases.length > 0) crashPoint('turn.leased');
      for (const lease of leases) {
        if (lease.wasAbandoned) continue;
        const work = drainConversation(workings, lease).finally(() => {
          inFlight.delete(work);
          // All hands were full: there may be conversations that nobody rings for again.
          if (inFlight.size === limits.conversationsAtOnce - 1) loop.nudge();
        });
        inFlight.add(work);
      }
      const abandoned = leases.filter((lease) => lease.wasAbandoned);
      if (abandoned.length > 0) await takeAlone(workings, abandoned, inFlight);
      return abandoned.length > 0 || leases.length === free;
    },
  });
  return {
    ...{ start: () => loop.start(), nudge: () => loop.nudge() },
    /** Turns under way are finished and their conversations given back. */
    async stop() {
      stopping.abort();
      await loop.stop();
      await Promise.all(inFlight);
    },
  };
}

/**
 * Those whose last holder died, one after the other with nothing else under way: should one of them end this process
 * too, its try was counted and nobody else's, so that what stood beside a poisonous message is never buried with it.
 */
async function takeAlone(
  workings: Workings,
  abandoned: readonly ConversationLease[],
  inFlight: ReadonlySet<Promise<void>>,
): Promise<void> {
  await Promise.all(inFlight);
  for (const lease of abandoned) await drainConversation(workings, lease);
}

/** Never throws: what goes wrong is recorded, or the lease runs out. */
async function drainConversation(workings: Workings, lease: ConversationLease): Promise<void> {
  const { limits, clock, leaseMs, stopping } = workings;
  const startedMs = clock.elapsedMs();
  try {
    if (lease.wasAbandoned) {
      if (!(await countAbandoned(workings, lease))) return;
      crashPoint('turn.try-counted');
    }
    for (let turn = 1; ; turn += 1) {
      const isLast = () =>
        turn >= limits.turnsPerLease || clock.elapsedMs() - startedMs > leaseMs / 3 || stopping.aborted;
      const state = await takeTurn(workings, lease, isLast);
      crashPoint('turn.committed');
      if (state === 'released') return;
    }
  } catch (error) {
    const facts = { conversationId: lease.conversationId, error: String(error) };
    workings.log.error(facts, 'a conversation could not be handled; it is given back');
    await giveBackLater(workings, lease);
  }
}

/** One turn in one transaction. The last pending event and the giving back are one commit. */
async function takeTurn(
  workings: Workings,
  lease: ConversationLease,
  isLast: () => boolean,
): Promise<'more' | 'released'> {
  const { storage, limits, leaseMs } = workings;
  let failing: PendingEvent | undefined;
  try {
    return await storage.inWorkspace(lease.workspaceId, async (tx) => {
      const start = await startTurn(tx, lease, leaseMs);
      if (start.kind === 'lost') return 'released';
      crashPoint('turn.locked');
      const next = start.kind === 'next' ? start.next : undefined;
      failing = next;
      if (next) return within(Math.min(limits.turnMs, leaseMs), () => handle(workings, tx, { lease, next, isLast }));
      await releaseConversation(tx, lease, 0);
      return 'released';
    });
  } catch (error) {
    if (!failing) throw error;
    await recordFailure(workings, lease, { next: failing, error });
    return 'released';
  }
}

interface OpenTurn {
  readonly lease: ConversationLease;
  readonly next: PendingEvent;
  /** Asked at the turn's end: is the conversation given back although more is pending? */
  readonly isLast: () => boolean;
}

async function handle(
  workings: Workings,
  tx: WorkspaceTx,
  { lease, next, isLast }: OpenTurn,
): Promise<'more' | 'released'> {
  const turnId = newId('turn');
  const account = await workings.findServing(lease.workspaceId, next.accountId);
  if (!account || account.isDeleted) {
    await bury(tx, next, { reason: 'account-removed', detail: 'the account was removed before the turn' });
    await releaseConversation(tx, lease, 0);
    tx.afterCommit(workings.wake);
    return 'released';
  }
  const outcome = await runPipeline(workings, tx, { lease, next, account, turnId });
  crashPoint('turn.answered');
  const isWaiting = outcome.kind === 'waiting';
  const isGivenBack = isLast();
  const after = await endTurn(tx, lease, {
    event: next,
    state: isWaiting ? 'parked' : 'handled',
    reason: isWaiting ? 'waits for its message' : outcome.reason,
    waitKey: isWaiting ? outcome.waitKey : null,
    turnId: isWaiting ? null : turnId,
    isLast: isGivenBack,
  });
  workings.noteChange(tx, 'conversation', [lease.conversationId]);
  workings.noteChange(tx, 'delivery', [next.deliveryId]);
  if (after.hasWaiting && !isWaiting) await workings.releaseParked(tx, next.accountId, next.event.providerMessageId);
  if (after.hasWaiting || after.hasMore) tx.afterCommit(workings.wake);
  crashPoint('turn.before-commit');
  return after.hasMore && !isGivenBack ? 'more' : 'released';
}

async function runPipeline(
  workings: Workings,
  tx: WorkspaceTx,
  turn: {
    readonly lease: ConversationLease;
    readonly next: PendingEvent;
    readonly account: ServingAccount;
    readonly turnId: ReturnType<typeof newId<'turn'>>;
  },
): Promise<TurnOutcome> {
  const conversation = await workings.loadConversation(tx, turn.lease.conversationId);
  if (!conversation) throw new Error('broken promise: a conversation that is locked can be loaded');
  return workings.pipeline.handleTurn(tx, {
    turnId: turn.turnId,
    stored: turn.next,
    conversation,
    account: turn.account,
    capabilities: workings.capabilitiesOf(turn.account),
    now: workings.clock.now(),
  });
}
