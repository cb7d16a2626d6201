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
import { type NoteChange, type Storage, StorageUnavailable, type WorkspaceTx } from '#storage';
import { nextEvent } from './next-event.ts';
import { insertDeadLetters } from './normalise-store.ts';
import {
  type ConversationLease,
  countEventAttempt,
  leaseConversations,
  lockLeased,
  type PendingEvent,
  readPending,
  releaseConversation,
  settleEvent,
} from './turn-store.ts';

export const turnLimits = {
  conversationsAtOnce: 16,
  turnsPerLease: 50,
  pendingRead: 200,
  maxAttempts: 3,
  retryDelayMs: 1_000,
  idleMs: 500,
  afterErrorMs: 500,
} as const;

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
}

/** Leases as many conversations as there are free hands, and takes new ones as hands become free. */
export function createTurns(deps: TurnDeps): Loop {
  const inFlight = new Set<Promise<void>>();
  const loop: Loop = createLoop({
    name: 'turns',
    idleMs: turnLimits.idleMs,
    afterErrorMs: turnLimits.afterErrorMs,
    log: deps.log,
    step: async () => {
      const free = turnLimits.conversationsAtOnce - inFlight.size;
      if (free <= 0) {
        await Promise.race(inFlight);
        return true;
      }
      const leases = await leaseConversations(deps.storage, free, deps.leaseMs);
      for (const lease of leases) {
        const work = drainConversation(deps, lease).finally(() => {
          inFlight.delete(work);
          loop.nudge();
        });
        inFlight.add(work);
      }
      return leases.length === free;
    },
  });
  return {
    start: () => loop.start(),
    nudge: () => loop.nudge(),
    stop: async () => {
      await loop.stop();
      await Promise.all(inFlight);
    },
  };
}

async function drainConversation(deps: TurnDeps, lease: ConversationLease): Promise<void> {
  try {
    if (lease.wasAbandoned && !(await countAbandoned(deps, lease))) return;
    for (let turn = 1; ; turn += 1) {
      const state = await takeTurn(deps, lease, turn >= turnLimits.turnsPerLease);
      if (state === 'released') return;
    }
  } catch (error) {
    deps.log.error(
      { conversationId: lease.conversationId, error: String(error) },
      'a conversation could not be handled; its lease will run out',
    );
  }
}

/** One turn in one transaction. The last pending event and the giving back are one commit. */
async function takeTurn(deps: TurnDeps, lease: ConversationLease, isLast: boolean): Promise<'more' | 'released'> {
  let failing: PendingEvent | undefined;
  try {
    return await deps.storage.inWorkspace(lease.workspaceId, async (tx) => {
      if (!(await lockLeased(tx, lease))) return 'released';
      const pending = await readPending(tx, lease.conversationId, turnLimits.pendingRead);
      const next = nextEvent(pending);
      failing = next;
      if (next) await handle(deps, tx, lease, next);
      const hasMore = pending.length > 1;
      if (hasMore && !isLast) return 'more';
      await releaseConversation(tx, lease, { hasMore, delayMs: 0 });
      return 'released';
    });
  } catch (error) {
    if (error instanceof StorageUnavailable || !failing) throw error;
    await recordFailure(deps, lease, failing, error);
    return 'released';
  }
}

async function handle(deps: TurnDeps, tx: WorkspaceTx, lease: ConversationLease, stored: PendingEvent): Promise<void> {
  const turnId = newId('turn');
  const outcome = await runPipeline(deps, tx, lease, stored, turnId);
  await settleEvent(tx, {
    eventId: stored.eventId,
    state: outcome.kind === 'waiting' ? 'parked' : 'handled',
    reason: outcome.kind === 'waiting' ? 'waits for its message' : outcome.reason,
    waitKey: outcome.kind === 'waiting' ? outcome.waitKey : null,
    turnId: outcome.kind === 'waiting' ? null : turnId,
  });
  deps.noteChange(tx, 'conversation', [lease.conversationId]);
  deps.noteChange(tx, 'delivery', [stored.deliveryId]);
  if (outcome.kind !== 'waiting') await deps.releaseParked(tx, stored.accountId, stored.event.providerMessageId);
}

async function runPipeline(
  deps: TurnDeps,
  tx: WorkspaceTx,
  lease: ConversationLease,
  stored: PendingEvent,
  turnId: ReturnType<typeof newId<'turn'>>,
): Promise<TurnOutcome> {
  const conversation = await deps.loadConversation(tx, lease.conversationId);
  const account = await deps.findServing(lease.workspaceId, stored.accountId);
  if (!conversation || !account)
    return { kind: 'silent', reason: 'the account or the conversation is gone', steps: [] };
  const capabilities = deps.capabilitiesOf(account);
  return deps.pipeline.handleTurn(tx, { turnId, stored, conversation, account, capabilities, now: deps.clock.now() });
}

/** After a death in the middle of a turn: counts the try first. False when the event used them up and is set aside. */
async function countAbandoned(deps: TurnDeps, lease: ConversationLease): Promise<boolean> {
  return deps.storage.inWorkspace(lease.workspaceId, async (tx) => {
    if (!(await lockLeased(tx, lease))) return false;
    const head = nextEvent(await readPending(tx, lease.conversationId, turnLimits.pendingRead));
    if (!head) return true;
    const attempts = await countEventAttempt(tx, head.eventId);
    if (attempts <= turnLimits.maxAttempts) return true;
    await bury(tx, head, 'it ended the process that handled it');
    return true;
  });
}

async function recordFailure(
  deps: TurnDeps,
  lease: ConversationLease,
  stored: PendingEvent,
  error: unknown,
): Promise<void> {
  deps.log.error({ eventId: stored.eventId, attempts: stored.attempts + 1, error: String(error) }, 'a turn failed');
  await deps.storage.inWorkspace(lease.workspaceId, async (tx) => {
    if (!(await lockLeased(tx, lease))) return;
    const attempts = await countEventAttempt(tx, stored.eventId);
    const isDead = attempts >= turnLimits.maxAttempts;
    if (isDead) await bury(tx, stored, String(error));
    await releaseConversation(tx, lease, {
      hasMore: true,
      delayMs: isDead ? 0 : turnLimits.retryDelayMs * 2 ** (attempts - 1),
    });
  });
}

async function bury(tx: WorkspaceTx, stored: PendingEvent, detail: string): Promise<void> {
  await settleEvent(tx, {
    eventId: stored.eventId,
    state: 'dead',
    reason: detail.slice(0, 500),
    waitKey: null,
    turnId: null,
  });
  await insertDeadLetters(tx, [
    {
      id: newId('deadLetter'),
      accountId: stored.accountId,
      deliveryId: stored.deliveryId,
      eventId: stored.eventId,
      reason: 'failed',
      detail: detail.slice(0, 2_000),
      path: stored.event.path,
    },
  ]);
}
