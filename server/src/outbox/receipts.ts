import {
  type AccountId,
  type ConversationId,
  type Failure,
  type InboundEvent,
  parseId,
  type StatusEvent,
} from '@switchyard/contract';
import type { NoteChange, WorkspaceTx } from '#storage';
import { echoWindowMs, isEchoOf } from './echo-match.ts';
import type { ProviderIdsKnown, ReceiptOutcome } from './outbox.ts';
import { isOneOf, settlingMove, statusAfter } from './receipt-effect.ts';
import { claimOf, statusesBefore } from './receipt-order.ts';
import {
  advanceEarlier,
  type FoundMessage,
  findByAttempt,
  findByProviderId,
  findInDoubt,
  lockProviderId,
  recordReceipt,
  settleAsFailed,
  settleAsSent,
} from './receipt-store.ts';
import { moves } from './states.ts';

/** What finds a message of ours: our attempt id where the provider carries it back, else its own id. */
interface Reference {
  readonly accountId: AccountId;
  readonly attemptId: string | null;
  readonly providerMessageId: string;
}

interface Origin {
  readonly accountId: AccountId;
  readonly eventId: string;
  readonly providerIdsKnown: ProviderIdsKnown;
  readonly noteChange: NoteChange;
}

export async function applyReceipt(tx: WorkspaceTx, event: StatusEvent, origin: Origin): Promise<ReceiptOutcome> {
  const reference = referenceOf(origin.accountId, event);
  const found = await findOrLock(tx, reference);
  if (!found) return { kind: 'waiting', waitKey: event.providerMessageId };
  const isSettled = await settleByReceipt(tx, found, event, reference);
  const newStatus = statusAfter(found, event.type, { attemptId: reference.attemptId, isSettled });
  await recordReceipt(tx, {
    eventId: origin.eventId,
    messageId: found.messageId,
    status: event.type,
    newStatus,
    occurredAt: event.occurredAt,
    errors: event.errors.length > 0 ? event.errors : null,
    pricing: event.pricing ?? null,
  });
  origin.noteChange(tx, 'message', [found.messageId]);
  if (event.isUpTo) await readUpTo(tx, found, event, origin);
  if (isSettled) await origin.providerIdsKnown(tx, [reference]);
  return { kind: newStatus === null ? 'late' : 'applied', messageId: found.messageId };
}

/**
 * An echo that no attempt id and no provider id names is ours when it holds what we have in flight in its conversation.
 * Where several there hold the same, it settles none of them: one may be lost, and the echo be another's, whose answer will
 * tell its id.
 */
export async function matchEcho(
  tx: WorkspaceTx,
  event: Extract<InboundEvent, { kind: 'message' }>,
  place: Pick<Origin, 'accountId' | 'providerIdsKnown' | 'noteChange'> & { readonly conversationId: ConversationId },
): Promise<boolean> {
  const reference = referenceOf(place.accountId, event);
  const named = await findOrLock(tx, reference);
  const candidates = named ? [named] : await findByContent(tx, event, place);
  const [found] = candidates;
  if (!found) return false;
  if (candidates.length > 1 || !found.outboundId || !isOneOf(moves.evidence.from, found.state)) return true;
  if (!(await settleAsSent(tx, found, reference))) return true;
  place.noteChange(tx, 'message', [found.messageId]);
  await place.providerIdsKnown(tx, [reference]);
  return true;
}

function referenceOf(
  accountId: AccountId,
  event: { readonly attemptId?: string; readonly providerMessageId: string },
): Reference {
  // What comes back is the provider's text: only what has the shape of an id of ours is looked up as one.
  const attemptId = event.attemptId ? (parseId('attempt', event.attemptId) ?? null) : null;
  return { accountId, attemptId, providerMessageId: event.providerMessageId };
}

/** Looks, and where nothing is found looks again under the lock that whoever learns the provider's id takes too. */
async function findOrLock(tx: WorkspaceTx, reference: Reference): Promise<FoundMessage | null> {
  const found = await findMessage(tx, reference);
  if (found) return found;
  await lockProviderId(tx, reference.accountId, reference.providerMessageId);
  return findMessage(tx, reference);
}

async function findMessage(tx: WorkspaceTx, reference: Reference): Promise<FoundMessage | null> {
  const { accountId, attemptId, providerMessageId } = reference;
  const byAttempt = attemptId === null ? null : await findByAttempt(tx, accountId, attemptId);
  return byAttempt ?? findByProviderId(tx, accountId, providerMessageId);
}

async function findByContent(
  tx: WorkspaceTx,
  event: Extract<InboundEvent, { kind: 'message' }>,
  place: { readonly accountId: AccountId; readonly conversationId: ConversationId },
): Promise<readonly FoundMessage[]> {
  const inDoubt = await findInDoubt(tx, place.accountId, place.conversationId, echoWindowMs);
  return inDoubt.filter((sent) => isEchoOf(sent.content, event.content));
}

async function settleByReceipt(
  tx: WorkspaceTx,
  found: FoundMessage,
  event: StatusEvent,
  reference: Reference,
): Promise<boolean> {
  if (!found.outboundId) return false;
  const move = settlingMove(found, event.type, reference.attemptId);
  if (move === null) return false;
  if (move === 'evidence') return settleAsSent(tx, found, reference);
  return settleAsFailed(tx, found, { ...reference, failure: failureOf(event) });
}

async function readUpTo(
  tx: WorkspaceTx,
  found: FoundMessage,
  event: StatusEvent,
  { noteChange }: Pick<Origin, 'noteChange'>,
): Promise<void> {
  const claim = claimOf(event.type);
  if (claim === null || claim === 'failed') return;
  await advanceEarlier(tx, found, { to: claim, from: statusesBefore(claim), occurredAt: event.occurredAt });
  noteChange(tx, 'conversation', [found.conversationId]);
}

function failureOf(event: StatusEvent): Failure {
  const error = event.errors[0];
  return {
    code: 'FailedAfterSending',
    detail: error ? [error.title, error.detail].filter(Boolean).join(': ') : 'The provider reported a failure.',
    retry: { kind: 'never' },
    isCertain: true,
    ...(error ? { providerCode: error.code } : {}),
  };
}
