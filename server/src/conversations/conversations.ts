/**
 * The door of conversations: contacts, identities, consent, the 24-hour window, messages and the bot's session state.
 * Every function runs in the caller's transaction, inside one workspace.
 */
import type {
  AccountEvent,
  AccountId,
  ChannelName,
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
import type { Page, PageRequest } from '#kernel';
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
  /** The bot's state; its shape belongs to `flows` and `pipeline`. */
  readonly session: Readonly<Record<string, unknown>>;
  readonly handler: 'bot' | 'person';
  /** Until when a person has it; null with `person`: until somebody gives it back. */
  readonly handlerUntil: Date | null;
  readonly lastInboundAt: Date | null;
  readonly freeEntryUntil: Date | null;
  /** The contact's latest choice about all our messages on this channel; null: never asked to stop or start. */
  readonly consent: ConsentChoice | null;
  readonly leaseEpoch: bigint;
}

export interface ConversationChange {
  readonly session?: Readonly<Record<string, unknown>>;
  readonly handler?: 'bot' | 'person';
  readonly handlerUntil?: Date | null;
  /** Of the contact. */
  readonly language?: string;
  /** A message that was saved in this transaction by `saveMessages`: moves last message, window and unread count. */
  readonly saved?: NewMessage;
  /** Messages that are queued in this transaction: their ordinals are taken here. `preview` null: nothing is to be shown. */
  readonly queued?: { readonly ordinals: number; readonly preview: string | null };
}

export interface ChangedConversation {
  readonly id: ConversationId;
  readonly change: ConversationChange;
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
  /** Kept at the place in the thread where it happened, and counted for nothing. */
  readonly isHistory?: boolean;
  readonly isTest?: boolean;
  readonly eventId?: EventId;
  readonly turnId?: TurnId;
  readonly occurredAt: Date;
  /** Opened by an advertisement: free entry until then (`freeEntryUntilOf`). */
  readonly freeEntryUntil?: Date;
}

/** Who a customer is on an account: what `resolveConversation` takes. */
export interface Correspondent {
  readonly accountId: AccountId;
  readonly provider: Provider;
  readonly customer: readonly Identity[];
  /** The customer's own name for themselves; never that of the account's owner (leave it out of echoes). */
  readonly profileName?: string;
  readonly groupId?: string;
}

export type OpenConversation = { readonly conversationId: ConversationId; readonly contactId: ContactId };

/** What became of an edit, a delete or a reaction. */
export type Applied =
  | { readonly kind: 'applied'; readonly messageId: MessageId }
  /** A newer one came before it, or the message is deleted. */
  | { readonly kind: 'late'; readonly messageId: MessageId }
  /** The message belongs to another thread, or to the other side: not theirs to change. */
  | { readonly kind: 'foreign'; readonly messageId: MessageId }
  /** No message of that provider id yet. */
  | { readonly kind: 'missing' };

/** An act on a message that is already here, named by its provider id. */
export interface MessageAct {
  readonly accountId: AccountId;
  /** The conversation in which the act came: only messages of its thread may be touched. null: the provider named none. */
  readonly conversationId: ConversationId | null;
  readonly targetId: string;
  /** Who acts: customers change what came in, a device of ours what went out. Reactions go either way. */
  readonly by: 'customer' | 'device';
  readonly at: Date;
}

export type ConsentChoice = 'in' | 'out';
/** `all`: every message that we begin ourselves, and the bot's answers; others name one purpose. */
export type ConsentTopic = 'all' | 'marketing' | (string & {});

export interface NewConsent {
  readonly contactId: ContactId;
  readonly channel: ChannelName;
  readonly topic: ConsentTopic;
  readonly choice: ConsentChoice;
  /** Where it came from: `message`, `provider`, `import`, `person`. */
  readonly source: string;
  /** What shows it: the word that they wrote, the event. */
  readonly evidence?: string;
  readonly at: Date;
}

/** The account at which a choice was made. */
export interface ConsentingAccount {
  readonly accountId: AccountId;
  readonly provider: Provider;
  readonly channel: ChannelName;
}

export interface ConversationSummary {
  readonly id: ConversationId;
  readonly accountId: AccountId;
  readonly accountName: string;
  readonly provider: Provider;
  readonly contactId: ContactId;
  readonly contactName: string | null;
  readonly groupId: string | null;
  readonly address: readonly Identity[];
  readonly handler: 'bot' | 'person';
  readonly handlerUntil: Date | null;
  readonly lastInboundAt: Date | null;
  readonly freeEntryUntil: Date | null;
  readonly lastMessageAt: Date | null;
  readonly lastMessageText: string | null;
  readonly unreadCount: number;
}

export interface ConversationListRequest extends PageRequest {
  readonly accountId?: AccountId;
  readonly handler?: 'bot' | 'person';
  /** Part of a name or of an address. */
  readonly search?: string;
}

export interface StoredMessage {
  readonly id: MessageId;
  readonly conversationId: ConversationId;
  readonly accountId: AccountId;
  readonly direction: 'in' | 'out';
  readonly author: MessageAuthor;
  readonly authorId: string | null;
  readonly type: string;
  readonly content: MessageContent;
  readonly text: string;
  readonly providerMessageId: string | null;
  readonly replyTo: string | null;
  readonly status: MessageStatus;
  readonly error: unknown;
  /** Emoji by who reacted: `customer`, `device`. */
  readonly reactions: Readonly<Record<string, string>>;
  readonly isEdited: boolean;
  readonly isDeleted: boolean;
  readonly isHistory: boolean;
  readonly isTest: boolean;
  readonly turnId: TurnId | null;
  readonly occurredAt: Date;
}

export interface ConversationsDoor {
  /**
   * Finds or makes contact, identities and open conversation; merges contacts that one delivery proves to be the same
   * person, the older one staying. Callers of one account run one at a time; of different accounts they may meet on
   * one contact, and wait for each other's commit.
   * What names neither a customer nor a group (Instagram's mentions) goes to one conversation of the account.
   */
  resolveConversation(tx: WorkspaceTx, correspondent: Correspondent): Promise<OpenConversation>;
  /**
   * The same for many at once, in their order: two statements for all who are known and unchanged and all whom nobody
   * knows; the others are resolved one by one after them.
   */
  resolveConversations(tx: WorkspaceTx, correspondents: readonly Correspondent[]): Promise<readonly OpenConversation[]>;
  /** The same where it is being found out meanwhile for whom: null for the others, for whom nothing is made. */
  resolveWanted(
    tx: WorkspaceTx,
    correspondents: readonly Correspondent[],
    wanted: Promise<readonly boolean[]>,
  ): Promise<readonly (OpenConversation | null)[]>;
  /** The customer says that they have a new address (WhatsApp's `user_changed_number`). The old one stays theirs. */
  changeAddress(tx: WorkspaceTx, conversation: Conversation, newAddress: string): Promise<void>;
  /** Takes a merge back, as it is recorded at the surviving contact; false when there is no such record. */
  undoMerge(tx: WorkspaceTx, survivorId: ContactId, mergedId: ContactId): Promise<boolean>;
  loadConversation(tx: WorkspaceTx, id: ConversationId): Promise<Conversation | null>;
  /** Several in one statement; those that are not there are left out. */
  loadConversations(
    tx: WorkspaceTx,
    ids: readonly ConversationId[],
  ): Promise<ReadonlyMap<ConversationId, Conversation>>;
  changeConversation(tx: WorkspaceTx, id: ConversationId, change: ConversationChange): Promise<void>;
  /** Several, each another one, in one statement. */
  changeConversations(tx: WorkspaceTx, changes: readonly ChangedConversation[]): Promise<void>;
  /**
   * Saves a message and moves the conversation's last message, window and unread count with it. False when a message of
   * this provider id is here already: then nothing changes.
   */
  insertMessage(tx: WorkspaceTx, message: NewMessage): Promise<boolean>;
  /**
   * Saves several, each in another conversation, in one statement. Gives those that were new; what these move is to be
   * told to `changeConversations` in the same transaction (`saved`).
   */
  saveMessages(tx: WorkspaceTx, messages: readonly NewMessage[]): Promise<ReadonlySet<MessageId>>;
  /** `content` null: the provider says only that it was edited. */
  applyEdit(tx: WorkspaceTx, act: MessageAct, content: MessageContent | null): Promise<Applied>;
  /** Takes the content away and keeps the row (a rule of the platforms). */
  applyDelete(tx: WorkspaceTx, act: MessageAct): Promise<Applied>;
  /** `emoji` null takes the reaction away. */
  applyReaction(tx: WorkspaceTx, act: MessageAct, emoji: string | null): Promise<Applied>;
  recordConsent(tx: WorkspaceTx, consent: NewConsent): Promise<void>;
  /** An account event of type `opt`: the customer chose in the provider's own settings. Other events change nothing. */
  applyOptEvent(tx: WorkspaceTx, account: ConsentingAccount, event: AccountEvent, at: Date): Promise<void>;
  /** The latest choice; null when there is none. */
  findConsent(
    tx: WorkspaceTx,
    contactId: ContactId,
    channel: ChannelName,
    topic: ConsentTopic,
  ): Promise<ConsentChoice | null>;
  /** The latest first; an unknown cursor starts at the beginning. */
  listConversations(tx: WorkspaceTx, request: ConversationListRequest): Promise<Page<ConversationSummary>>;
  findSummary(tx: WorkspaceTx, id: ConversationId): Promise<ConversationSummary | null>;
  /** The latest first, over the whole thread of the contact with the account. */
  listMessages(tx: WorkspaceTx, id: ConversationId, request: PageRequest): Promise<Page<StoredMessage>>;
  findMessage(tx: WorkspaceTx, id: MessageId): Promise<StoredMessage | null>;
  /** Nothing unread any more. Gives the provider id of the customer's last message, for the provider to be told. */
  markRead(tx: WorkspaceTx, id: ConversationId): Promise<string | null>;
}
