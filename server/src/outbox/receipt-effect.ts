/** What a receipt does to a message and to its send. Pure: both stores of it, and the simulation, ask here. */
import type { StatusType } from '@switchyard/contract';
import type { MessageStatus } from '#conversations';
import type { OutboxState } from './outbox.ts';
import { claimOf, isForward } from './receipt-order.ts';
import { type MoveName, moves } from './states.ts';

/** What is known of the message that a receipt names. */
export interface KnownSend {
  readonly status: MessageStatus;
  /** null: it was not sent from here. */
  readonly state: OutboxState | null;
  /** Its latest try. */
  readonly attemptId: string | null;
}

/** How the receipt settles the send; null: it does not. */
export function settlingMove(
  found: KnownSend,
  type: StatusType,
  attemptId: string | null,
): Extract<MoveName, 'evidence' | 'failedReceipt'> | null {
  const claim = claimOf(type);
  if (claim === null) return null;
  if (claim !== 'failed') return isOneOf(moves.evidence.from, found.state) ? 'evidence' : null;
  return isOneOf(moves.failedReceipt.from, found.state) && isOfLatestTry(found, attemptId) ? 'failedReceipt' : null;
}

/** What the message becomes, or null. A try that failed says nothing of a message that is tried again. */
export function statusAfter(
  found: KnownSend,
  type: StatusType,
  { attemptId, isSettled }: { readonly attemptId: string | null; readonly isSettled: boolean },
): MessageStatus | null {
  const claim = claimOf(type);
  if (claim === null) return null;
  const isTriedAgain = isOneOf(['queued', 'claimed'], found.state) || !isOfLatestTry(found, attemptId);
  if (claim === 'failed' && isTriedAgain) return null;
  const isProvedOut = isSettled && found.status === 'failed' && claim === 'sent';
  return isProvedOut || isForward(found.status, claim) ? claim : null;
}

export function isOneOf(states: readonly OutboxState[], state: OutboxState | null): boolean {
  return state !== null && states.includes(state);
}

function isOfLatestTry(found: KnownSend, attemptId: string | null): boolean {
  return attemptId === null || found.attemptId === null || attemptId === found.attemptId;
}
