/**
 * The door of the outbox: what we want sent, its tries, and what the provider says became of it.
 *
 * A message's states. `queued`: committed, not yet taken up. `claimed`: a dispatcher holds it; nothing has left.
 * `sending`: committed before the request leaves; from here a crash means "may have been sent". Then exactly one of
 * `sent` (the provider gave an id), `refused` (it said no, for good), `queued` again (surely not sent, try later),
 * `uncertain` (settled by a receipt or an echo that carries our attempt id, or by a person), `dead` (tries used up),
 * `cancelled` (by a person before it left), `held` (a test: nothing leaves).
 */
import type {
  AccountId,
  AttemptId,
  ConversationId,
  Failure,
  Identity,
  InboundEvent,
  MessageId,
  OutboundContent,
  OutboundId,
  TurnId,
  WorkspaceId,
} from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { ClaimedMessage } from './dispatch/walk.ts';

export type Lane = 'reply' | 'receipt' | 'reminder' | 'backlog' | 'campaign';
export type OutboxState =
  | 'queued'
  | 'claimed'
  | 'sending'
  | 'sent'
  | 'refused'
  | 'uncertain'
  | 'dead'
  | 'cancelled'
  | 'held';

export interface QueuedMessage {
  readonly conversationId: ConversationId;
  readonly accountId: AccountId;
  readonly content: OutboundContent;
  readonly author: 'bot' | 'person' | 'campaign' | 'reminder';
  readonly authorId?: string;
  readonly turnId?: TurnId;
  readonly lane?: Lane;
  readonly replyTo?: string;
  /** What to do when nobody can say whether it went out. Default `never-twice`. */
  readonly repeatRule?: 'never-twice' | 'rather-twice';
  /** Stored and shown, never sent. */
  readonly isHeld?: boolean;
}

/**
 * Who takes the ordinals and moves the last message of the conversations: the outbox (`to-move`, where nothing is said), or
 * the caller, who did so in this transaction before (`moved`; `queued` of a conversation's change).
 */
export type MovedConversations = 'to-move' | 'moved';

export interface QueuedIds {
  readonly outboundId: OutboundId;
  readonly messageId: MessageId;
}

export type ReceiptOutcome =
  /** The message moved forward. */
  | { readonly kind: 'applied'; readonly messageId: MessageId }
  /** Recorded; the message had already moved past it. */
  | { readonly kind: 'late'; readonly messageId: MessageId }
  /** No message with that id yet: park the event under this key until `ProviderIdsKnown` is called with it. */
  | { readonly kind: 'waiting'; readonly waitKey: string };

/**
 * Upward need, filled by compose: called in the transaction in which providers' message ids become known, once for all of
 * them, so that statuses that came first are taken out of their parking place.
 */
export type ProviderIdsKnown = (tx: WorkspaceTx, known: readonly KnownProviderId[]) => Promise<void>;

export interface KnownProviderId {
  readonly accountId: AccountId;
  readonly providerMessageId: string;
}

/** An inbound message that the bot or a person has read. */
export interface ReadMark {
  readonly accountId: AccountId;
  readonly providerMessageId: string;
  /** The customer's addresses: some providers mark by chat and id, and mark nothing where there are none. */
  readonly chat: readonly Identity[];
}

export interface OutboxDoor {
  /** Writes message and outbox row in the caller's transaction; rings the dispatcher after its commit. Takes the conversation's next ordinal. */
  queueMessage(tx: WorkspaceTx, message: QueuedMessage): Promise<QueuedIds>;
  /** Several in one statement, of any conversations; those of one conversation keep their order. Ids in the same order. */
  queueMessages(
    tx: WorkspaceTx,
    messages: readonly QueuedMessage[],
    conversations?: MovedConversations,
  ): Promise<readonly QueuedIds[]>;
  /** A status event: settles an uncertain send, moves the message forward only, records the receipt. */
  applyReceipt(
    tx: WorkspaceTx,
    accountId: AccountId,
    eventId: string,
    event: Extract<InboundEvent, { kind: 'status' }>,
  ): Promise<ReceiptOutcome>;
  /**
   * An echo of a message: true when it is one of ours (then it settles the send) or is stored already; false when a
   * person typed it on the phone.
   */
  matchEcho(
    tx: WorkspaceTx,
    accountId: AccountId,
    conversationId: ConversationId,
    event: Extract<InboundEvent, { kind: 'message' }>,
  ): Promise<boolean>;
  /** What was queued for a message, with its state; null: it was not sent from here. */
  findOutbound(
    tx: WorkspaceTx,
    messageId: MessageId,
  ): Promise<{ readonly outboundId: OutboundId; readonly state: OutboxState } | null>;
  /** A person settles an uncertain message: resend it (flagged as possible duplicate) or let it be. */
  settleUncertain(tx: WorkspaceTx, outboundId: OutboundId, choice: 'send-again' | 'leave'): Promise<boolean>;
  /**
   * The account's connection has come back: what was held for the lack of it is due, in its order. In the transaction of
   * the connection's move; nothing where the account is not able to send yet.
   */
  releaseHeld(tx: WorkspaceTx, accountId: AccountId): Promise<void>;
  /**
   * Look for a message again after this, before parking anything else under its provider id (a reaction, an edit): until
   * the transaction ends nobody learns the id meanwhile. `applyReceipt` and `matchEcho` do so themselves.
   */
  lockProviderId(tx: WorkspaceTx, accountId: AccountId, providerMessageId: string): Promise<void>;
  /** Tells the customer's side, after the commit, that a message was read. Best effort: may be lost, is never retried. */
  markRead(tx: WorkspaceTx, mark: ReadMark): void;
}

export interface LanedMessage {
  readonly accountId: AccountId;
  readonly lane: Lane;
}

/** What a process that dispatches hears of what was queued in it, so that a turn's reply leaves at once. */
export interface QueueListener {
  /**
   * For how long messages that are about to be queued may be claimed in the same statement, in milliseconds; 0: not now,
   * others wait or there is no room. What is claimed so is handed to `take` after the commit.
   */
  leaseFor(workspaceId: WorkspaceId, messages: readonly LanedMessage[]): number;
  /** Claimed for this process, committed just now. */
  take(claimed: readonly ClaimedMessage[]): void;
  /** Something was committed. True: this process takes it up now; false: ring for the others. */
  queued(): boolean;
  read(mark: ReadMark & { readonly workspaceId: WorkspaceId }): void;
}

/** The outbox as compose holds it: the door, and the place where this process's dispatcher is hung up. */
export interface Outbox extends OutboxDoor {
  attach(listener: QueueListener): void;
}

/** The facts of one failed or finished try, as the trace shows them. */
export interface AttemptRecord {
  readonly id: AttemptId;
  readonly number: number;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly outcome: 'sent' | 'refused' | 'unreachable' | 'uncertain' | null;
  readonly providerMessageId: string | null;
  readonly failure: Failure | null;
  readonly milliseconds: number | null;
}

export interface Dispatcher extends QueueListener {
  start(): void;
  /** Stops claiming, finishes what is in flight within `graceMs`, releases what is claimed. */
  stop(graceMs: number): Promise<void>;
}
