/**
 * One normalised thing inside a delivery. Channels make these from a provider's bytes; everything after them in the
 * walk knows only these. `key` is what makes an event one event (docs/walks/inbound-message.md), unhashed and
 * without the account.
 */
import type { MessageContent } from './message.ts';

/** How one person is known. A phone is E.164 with `+`; wa_id, LID and the like are kept as the provider writes them. */
export interface Identity {
  readonly kind: 'phone' | 'wa_id' | 'bsuid' | 'lid' | 'instagram' | 'username';
  readonly value: string;
}

/** The provider's own name for the account a part belongs to; the inbox refuses a part bound to another account. */
export interface Binding {
  readonly kind:
    | 'phone_number_id'
    | 'waba_id'
    | 'instagram_id'
    | 'twilio_address'
    | 'twilio_account'
    | 'instance'
    | 'session';
  readonly value: string;
}

interface EventBase {
  /** The parts of design section 8 joined by `:`. */
  readonly key: string;
  /** When it happened by the provider's clock, ISO 8601 UTC; null where the provider sends no time (Twilio). */
  readonly occurredAt: string | null;
  /** Every provider id in this part that names an account. Empty when the provider names none. */
  readonly bindings: readonly Binding[];
  /** JSON pointer to the part of the body that this event was made of; '' for the whole body. */
  readonly path: string;
}

export const messageTypes = [
  'text',
  'image',
  'video',
  'audio',
  'document',
  'sticker',
  'location',
  'contacts',
  'reaction',
  'button_reply',
  'list_reply',
  'flow_reply',
  'order',
  'edit',
  'delete',
  'comment',
  'mention',
  'story_reply',
  'story_mention',
  'share',
  'referral',
  'poll',
  'system',
  'echo',
  'unsupported',
] as const;
export type MessageType = (typeof messageTypes)[number];

/** An advertisement or a link that opened or preceded this message (click-to-WhatsApp, ig.me). */
export interface Referral {
  readonly sourceType?: string;
  readonly sourceId?: string;
  readonly sourceUrl?: string;
  readonly headline?: string;
  readonly body?: string;
  readonly clickId?: string;
  readonly ref?: string;
}

export interface MessageEvent extends EventBase {
  readonly kind: 'message';
  /** `content.type`, except for an echo of our own message (typed on the phone, or sent by us): `echo`. */
  readonly type: MessageType;
  readonly providerMessageId: string;
  /** `in` from the customer; `out` for echoes. */
  readonly direction: 'in' | 'out';
  /** The customer's identities, best first, whoever wrote; may hold no phone at all. */
  readonly customer: readonly Identity[];
  readonly profileName?: string;
  /** Set for a message in a group: its id. The bot does not answer groups. */
  readonly groupId?: string;
  readonly content: MessageContent;
  /** Provider id of the message answered to. */
  readonly replyTo?: string;
  readonly isForwarded?: boolean;
  readonly referral?: Referral;
  /** Our attempt id where an echo carries it back. */
  readonly attemptId?: string;
  /** Part of a history import or of a stand-by feed: kept, never answered. */
  readonly isHistory?: boolean;
}

export const statusTypes = ['sent', 'delivered', 'read', 'played', 'failed', 'deleted', 'accepted', 'unknown'] as const;
export type StatusType = (typeof statusTypes)[number];

export interface ProviderError {
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
}

export interface StatusEvent extends EventBase {
  readonly kind: 'status';
  readonly type: StatusType;
  readonly providerMessageId: string;
  /** The receipt's own recipient, where given. */
  readonly customer: readonly Identity[];
  /** What we sent along and the provider carries back (`biz_opaque_callback_data`, status-callback query). */
  readonly attemptId?: string;
  readonly errors: readonly ProviderError[];
  readonly pricing?: {
    readonly isBillable: boolean;
    readonly category?: string;
    readonly model?: string;
    readonly type?: string;
  };
  /** Instagram reports `read` up to a message: all earlier ones are read too. */
  readonly isUpTo?: boolean;
}

export const accountEventTypes = [
  'template',
  'quality',
  'account',
  'connection',
  'qr',
  'opt',
  'contact',
  'error',
  'call',
  'handover',
  'insight',
] as const;
export type AccountEventType = (typeof accountEventTypes)[number];

export interface AccountEvent extends EventBase {
  readonly kind: 'account';
  readonly type: AccountEventType;
  /** The provider's name for it: `message_template_status_update`, `connection.update`. */
  readonly name: string;
  /** For `connection`: what became of the connection. */
  readonly connection?: 'connecting' | 'connected' | 'disconnected' | 'error';
  /** For `qr`: what to show; `expiresInSeconds` where known. Secret-free. */
  readonly qr?: { readonly code: string | null; readonly pairingCode: string | null; readonly image: string | null };
  /** For `opt`: who, and what they chose. */
  readonly opt?: { readonly customer: readonly Identity[]; readonly topic: string; readonly choice: 'in' | 'out' };
  /** Facts worth keeping, as flat as the provider gives them. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Something authentic that we do not know: kept with its raw part, shown, never dropped. */
export interface UnsupportedEvent extends EventBase {
  readonly kind: 'unsupported';
  /** What the provider called it, as far as could be read. */
  readonly type: string;
  readonly reason: string;
}

export type InboundEvent = MessageEvent | StatusEvent | AccountEvent | UnsupportedEvent;
