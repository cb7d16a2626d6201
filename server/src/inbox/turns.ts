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
import { type Clock, createLoop, type Log, type Loop, newId } from '#kernel';
import type { Pipeline, TurnOutcome } from '#pipeline';
import type { NoteChange, Storage, WorkspaceTx } from '#storage';
import { giveBack } from './give-back.ts';
import { insertDeadLetters } from './normalise-store.ts';
import { isPassing } from './passing.ts';
import { within } from './time-limit.ts';
import {
  buryEvent,
  type ConversationLease,
  countEventAttempt,
  endTurn,
  leaseConversations,
  type PendingEvent,
  releaseConversation,
  startTurn,
} from './turn-store.ts';

export interface TurnLimits {
  readonly conversationsAtOnce: number;
  /** Then the conversation goes to the end of the queue: one that never falls silent must not keep a hand for ever. */
  readonly turnsPerLease: number;
  /** One turn; also no more than the lease. */
  readonly turnMs: number;
  readonly maxAttempts: number;
  /** Of tries that the database cut short: they say little about the event. */
  readonly maxCutShort: number;
  /** Doubles with each try. */
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
  readonly idleMs: number;
  readonly afterErrorMs: number;
}

export const turnLimits: TurnLimits = {
  conversationsAtOnce: 16,
  turnsPerLease: 50,
  turnMs: 10_000,
  maxAttempts: 3,
  maxCutShort: 20,
  retryDelayMs: 1_000,
  maxRetryDelayMs: 30_000,
  idleMs: 500,
  afterErrorMs: 500,
};

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
interface Workings extends TurnDeps {
  readonly limits: TurnLimits;
  readonly stopping: AbortSignal;
  /** There is a conversation to be taken up. */
  readonly wake: () => void;
}

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
      for (const lease of leases) {
        const work = drainConversation(workings, lease).finally(() => {
          inFlight.delete(work);
          // All hands were full: there may be conversations that nobody rings for again.
          if (inFlight.size === limits.conversationsAtOnce - 1) loop.nudge();
        });
        inFlight.add(work);
      }
      return leases.length === free;
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

/** Never throws: what goes wrong is recorded, or the lease runs out. */
async function drainConversation(workings: Workings, lease: ConversationLease): Promise<void> {
  const { limits, clock, leaseMs, stopping } = workings;
  const startedMs = clock.elapsedMs();
  try {
    if (lease.wasAbandoned && !(await countAbandoned(workings, lease))) return;
    for (let turn = 1; ; turn += 1) {
      const isLast = () =>
        turn >= limits.turnsPerLease || clock.elapsedMs() - startedMs > leaseMs / 3 || stopping.aborted;
      if ((await takeTurn(workings, lease, isLast)) === 'released') return;
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

/** After a death in the middle of a turn: counts the try first, and sets the event aside that used them up. False: the lease is lost. */
async function countAbandoned({ storage, limits, leaseMs }: Workings, lease: ConversationLease): Promise<boolean> {
  return storage.inWorkspace(lease.workspaceId, async (tx) => {
    const start = await startTurn(tx, lease, leaseMs);
    if (start.kind !== 'next') return start.kind === 'nothing';
    const head = start.next;
    const attempts = await countEventAttempt(tx, head.eventId);
    if (attempts > limits.maxAttempts)
      await bury(tx, head, { reason: 'failed', detail: 'it ended the process that handled it' });
    return true;
  });
}

/** Throws when the database is away; then nothing is counted. */
async function recordFailure(
  { storage, limits, leaseMs, log, wake }: Workings,
  lease: ConversationLease,
  failed: { readonly next: PendingEvent; readonly error: unknown },
): Promise<void> {
  const { next, error } = failed;
  const maxAttempts = isPassing(error) ? limits.maxCutShort : limits.maxAttempts;
  await storage.inWorkspace(lease.workspaceId, async (tx) => {
    if ((await startTurn(tx, lease, leaseMs)).kind === 'lost') return;
    const attempts = await countEventAttempt(tx, next.eventId);
    log.error({ eventId: next.eventId, attempts, error: String(error) }, 'a turn failed');
    const isDead = attempts >= maxAttempts;
    if (isDead) await bury(tx, next, { reason: 'failed', detail: String(error) });
    const delayMs = Math.min(limits.retryDelayMs * 2 ** (attempts - 1), limits.maxRetryDelayMs);
    await releaseConversation(tx, lease, isDead ? 0 : delayMs);
    tx.afterCommit(wake);
  });
}

async function giveBackLater({ storage, clock, leaseMs, stopping, log }: Workings, lease: ConversationLease) {
  try {
    await giveBack(() => storage.inWorkspace(lease.workspaceId, (tx) => releaseConversation(tx, lease, 0)), {
      clock,
      leaseMs,
      stopping,
    });
  } catch (error) {
    log.error({ conversationId: lease.conversationId, error: String(error) }, 'a lease was left to run out');
  }
}

async function bury(
  tx: WorkspaceTx,
  stored: PendingEvent,
  why: { readonly reason: 'failed' | 'account-removed'; readonly detail: string },
): Promise<void> {
  await buryEvent(tx, stored.eventId, why.detail.slice(0, 500));
  await insertDeadLetters(tx, [
    {
      id: newId('deadLetter'),
      accountId: stored.accountId,
      deliveryId: stored.deliveryId,
      eventId: stored.eventId,
      reason: why.reason,
      detail: why.detail.slice(0, 2_000),
      path: stored.event.path,
    },
  ]);
}
