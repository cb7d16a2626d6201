/**
 * The door of conversations: contacts, identities, consent, the 24-hour window, messages and the bot's session state.
 * Every function runs in the caller's transaction, inside one workspace.
 */
import type {
  AccountId,
  ContactId,
  ConversationId,
  DeliveryId,
  EventId,
  Identity,
  InboundEvent,
  MessageContent,
  MessageId,
  Provider,
  TurnId,
} from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

/** What an event is once it is stored: its ids beside it. */
export interface StoredEvent<Event extends InboundEvent = InboundEvent> {
  readonly eventId: EventId;
  readonly deliveryId: DeliveryId;
  readonly accountId: AccountId;
  readonly event: Event;
  readonly position: bigint;
  readonly afterPosition: bigint;
  readonly receivedAt: Date;
  readonly attempts: number;
  readonly isTest: boolean;
}

export interface Conversation {
  readonly id: ConversationId;
  readonly accountId: AccountId;
  readonly contactId: ContactId;
  readonly contactName: string | null;
  readonly language: string | null;
  readonly groupId: string | null;
  /** How to reach the customer on this account, best first. */
  readonly address: readonly Identity[];
  /** The bot's state; its shape belongs to `flows`. */
  readonly session: Readonly<Record<string, unknown>>;
  readonly handler: 'bot' | 'person';
  readonly handlerUntil: Date | null;
  readonly lastInboundAt: Date | null;
  readonly freeEntryUntil: Date | null;
  readonly leaseEpoch: bigint;
}

export interface ConversationChange {
  readonly session?: Readonly<Record<string, unknown>>;
  readonly handler?: 'bot' | 'person';
  readonly handlerUntil?: Date | null;
  readonly language?: string;
}

export type MessageStatus =
  | 'received'
  | 'queued'
  | 'sent'
  | 'delivered'
  | 'read'
  | 'played'
  | 'failed'
  | 'uncertain'
  | 'cancelled';
export type MessageAuthor = 'customer' | 'bot' | 'person' | 'device' | 'campaign' | 'reminder';

export interface NewMessage {
  readonly id: MessageId;
  readonly conversationId: ConversationId;
  readonly accountId: AccountId;
  readonly direction: 'in' | 'out';
  readonly author: MessageAuthor;
  readonly authorId?: string;
  readonly content: MessageContent;
  readonly providerMessageId?: string;
  readonly replyTo?: string;
  readonly status: MessageStatus;
  readonly isHistory?: boolean;
  readonly isTest?: boolean;
  readonly eventId?: EventId;
  readonly turnId?: TurnId;
  readonly occurredAt: Date;
}

/** Who a customer is on an account: what `resolveConversation` takes. */
export interface Correspondent {
  readonly accountId: AccountId;
  readonly provider: Provider;
  readonly customer: readonly Identity[];
  readonly profileName?: string;
  readonly groupId?: string;
}

export type OpenConversation = { readonly conversationId: ConversationId; readonly contactId: ContactId };

export interface ConversationsDoor {
  /** Finds or makes contact, identities and open conversation; merges identities known apart. Callers of one account run one at a time. */
  resolveConversation(tx: WorkspaceTx, correspondent: Correspondent): Promise<OpenConversation>;
  loadConversation(tx: WorkspaceTx, id: ConversationId): Promise<Conversation | null>;
  changeConversation(tx: WorkspaceTx, id: ConversationId, change: ConversationChange): Promise<void>;
  insertMessage(tx: WorkspaceTx, message: NewMessage): Promise<void>;
}
