/**
 * The stages of an outbound message once it is committed. Each function of the walk takes only what the stage before it
 * gives: nothing is sent that was not permitted, and nothing that was not marked.
 *
 * QueuedMessage → ClaimedMessage → PermittedMessage → MarkedMessage → SentMessage | Refused | Unreachable | Uncertain.
 */
import type {
  AccountId,
  AttemptId,
  ConversationId,
  Failure,
  Identity,
  MessageId,
  OutboundContent,
  OutboundId,
  WorkspaceId,
} from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Channel, SendOutcome } from '#channels';
import type { ConnectionFacts } from '../gate/connection-hold.ts';
import type { Lane } from '../outbox.ts';

/** Leased to this process. Ages are by the database's clock, at the moment of the claim. */
export interface ClaimedMessage {
  readonly workspaceId: WorkspaceId;
  readonly outboundId: OutboundId;
  readonly accountId: AccountId;
  readonly conversationId: ConversationId;
  readonly messageId: MessageId;
  readonly lane: Lane;
  readonly content: OutboundContent;
  readonly replyTo: string | null;
  readonly leaseEpoch: string;
  /** Tries before this one. */
  readonly tries: number;
  readonly ageMs: number;
  /** The wait before this try, where there was a try before it. */
  readonly previousWaitMs: number | null;
  readonly address: readonly Identity[];
  /** Since the customer last wrote; null: never. */
  readonly inboundAgeMs: number | null;
  readonly isFreeEntryOpen: boolean;
  /** How long the limit between this account and this customer wants us to wait; 0: it does not. */
  readonly pairWaitMs: number;
  /** Of the account, at the moment of the claim. */
  readonly connection: ConnectionFacts;
}

export interface PermittedMessage {
  readonly claimed: ClaimedMessage;
  readonly account: ServingAccount;
  readonly channel: Channel;
}

export interface MarkedMessage extends PermittedMessage {
  readonly attemptId: AttemptId;
  /** Which try this is, from 1. */
  readonly number: number;
}

export type SentMessage = Extract<SendOutcome, { kind: 'sent' }>;
export type Refused = Extract<SendOutcome, { kind: 'refused' }>;
export type Unreachable = Extract<SendOutcome, { kind: 'unreachable' }>;
export type Uncertain = Extract<SendOutcome, { kind: 'uncertain' }>;

export type Permit =
  | { readonly kind: 'permitted'; readonly message: PermittedMessage }
  | { readonly kind: 'forbidden'; readonly failure: Failure }
  /** Not now; nothing is wrong with the message. `reason`: shown on it while it waits. */
  | { readonly kind: 'deferred'; readonly waitMs: number; readonly reason?: Failure };
