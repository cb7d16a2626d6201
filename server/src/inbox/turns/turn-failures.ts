/** What becomes of a turn that failed, and of a conversation whose holder died. */
import { type Clock, type Log, newId } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import { giveBack } from '../give-back.ts';
import { insertDeadLetters } from '../normalise/normalise-store.ts';
import { isPassing } from '../passing.ts';
import type { TurnLimits } from './turn-limits.ts';
import {
  buryEvent,
  type ConversationLease,
  countEventAttempt,
  countEventDeath,
  type PendingEvent,
  releaseConversation,
  startTurns,
} from './turn-store.ts';

export interface TurnKeeping {
  readonly storage: Storage;
  readonly limits: TurnLimits;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  readonly log: Log;
  /** There is a conversation to be taken up. */
  readonly wake: () => void;
}

/** After a death in the middle of a turn: counts the try first, and sets the event aside that used them up. False: the lease is lost. */
export async function countAbandoned(
  { storage, limits, leaseMs }: TurnKeeping,
  lease: ConversationLease,
): Promise<boolean> {
  return storage.inWorkspace(lease.workspaceId, async (tx) => {
    const [locked] = await startTurns(tx, [lease], leaseMs);
    const head = locked?.next;
    if (!head) return locked !== undefined;
    const deaths = await countEventDeath(tx, head.eventId);
    if (deaths > limits.maxDeaths)
      await bury(tx, head, { reason: 'failed', detail: 'it ended the process that handled it' });
    return true;
  });
}

/** Throws when the database is away; then nothing is counted. */
export async function recordFailure(
  { storage, limits, leaseMs, log, wake }: TurnKeeping,
  lease: ConversationLease,
  failed: { readonly next: PendingEvent; readonly error: unknown },
): Promise<void> {
  const { next, error } = failed;
  const maxAttempts = isPassing(error) ? limits.maxCutShort : limits.maxAttempts;
  await storage.inWorkspace(lease.workspaceId, async (tx) => {
    if ((await startTurns(tx, [lease], leaseMs)).length === 0) return;
    const attempts = await countEventAttempt(tx, next.eventId);
    log.error({ eventId: next.eventId, attempts, error: String(error) }, 'a turn failed');
    const isDead = attempts >= maxAttempts;
    if (isDead) await bury(tx, next, { reason: 'failed', detail: String(error) });
    const delayMs = Math.min(limits.retryDelayMs * 2 ** (attempts - 1), limits.maxRetryDelayMs);
    await releaseConversation(tx, lease, isDead ? 0 : delayMs);
    tx.afterCommit(wake);
  });
}

export async function giveBackLater({ storage, clock, leaseMs, stopping, log }: TurnKeeping, lease: ConversationLease) {
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

export async function bury(
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
