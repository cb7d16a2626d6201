/**
 * What a provider must be able to do here. Verify and normalise are pure functions of bytes; `send` is handed its
 * network. A channel knows nothing of storage and nothing of tenants: it is given one account's secrets and settings
 * and gives back facts. A provider's ids and error codes stay inside its folder.
 */
import type { AccountEvent, Binding, Failure, InboundEvent, OutboundContent, Provider } from '@switchyard/contract';
import type { Reach } from './http/address/index.ts';
import type { WebhookAbility } from './webhook-ability.ts';

/** One HTTP request as it came. Header names are lower case; of repeated headers the values are joined by `, `. */
export interface RawRequest {
  readonly method: string;
  /** Path and query as they came, undecoded: `/webhooks/twilio/whatsapp/abc?x=1`. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * What `verify` may use. Every list is tried (two secrets are valid while one is rotated).
 * `publicUrl` is scheme and host as the provider knows us, without a trailing slash.
 */
export interface VerifySecrets {
  /** Meta, Instagram: app secrets. Twilio: auth tokens. webjs: shared HMAC keys. Evolution: values of the secret header or api key. */
  readonly signing: readonly string[];
  /** Meta, Instagram: verify tokens of the GET challenge, or their SHA-256 in hex after `sha256:`. */
  readonly challenge: readonly string[];
  readonly publicUrl: string;
  /** The route's own token was right: enough by itself for providers that cannot sign (Evolution). */
  readonly hasRouteToken: boolean;
  /** Evolution: refuse what carries no secret even if the token is right (a switch of the account). */
  readonly requiresSecret: boolean;
}

export type Verification =
  /** `isAuthenticated` false: taken because the account holds nothing to check against (legacy Evolution instances). */
  | {
      readonly kind: 'verified';
      readonly isAuthenticated: boolean;
      readonly nonce?: { readonly key: string; readonly value: string };
    }
  | { readonly kind: 'refused'; readonly reason: string };

export type Challenge =
  | { readonly kind: 'answer'; readonly text: string }
  /** 403: a challenge with a wrong verify token. */
  | { readonly kind: 'wrong-token' }
  /** 400: not a challenge at all. */
  | { readonly kind: 'not-a-challenge' };

/** A part of an authentic body that could not be read; becomes a dead letter, the rest is handled. */
export interface UnreadablePart {
  readonly path: string;
  readonly reason: string;
}

export interface Normalised {
  readonly events: readonly InboundEvent[];
  readonly unreadable: readonly UnreadablePart[];
}

export interface NormaliseInput {
  readonly headers: Readonly<Record<string, string>>;
  /** Path and query; Twilio's status callback carries our attempt id there. */
  readonly target: string;
  readonly body: Uint8Array;
  /** For providers that send no time. ISO 8601 UTC. */
  readonly receivedAt: string;
}

/** What the gateway takes out of a body before it is stored in the clear: byte ranges of secret values. */
export interface SecretSpan {
  readonly start: number;
  readonly end: number;
}

export interface Capabilities {
  /** What `send` takes. */
  readonly sends: readonly OutboundContent['type'][];
  readonly canMarkRead: boolean;
  /** Hours after the customer's last message in which free text may be sent; null: no window. */
  readonly windowHours: number | null;
  /** Does a status or an echo carry our attempt id back? Then an uncertain send settles itself. */
  readonly echoesAttemptId: boolean;
  readonly maxTextLength: number;
  readonly maxButtons: number;
  readonly maxListRows: number;
  readonly maxButtonTitleLength: number;
  /** Messages a second per account, by default. */
  readonly messagesPerSecond: number;
}

/** What sending needs to know of the account. `credentials` fits the provider's own schema (`credentialsSchema`). */
export interface SendingAccount {
  readonly credentials: Readonly<Record<string, string>>;
  /** Non-secret settings: version of the API, base URL, sender. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface SendRequest {
  readonly attemptId: string;
  /** The customer's address as this provider wants it; channels choose among these, best first. */
  readonly to: readonly { readonly kind: string; readonly value: string }[];
  readonly content: OutboundContent;
  /** Provider id of the message answered to. */
  readonly replyTo?: string;
  /** Where the provider shall report receipts, already signed for (Twilio). */
  readonly statusCallbackUrl?: string;
}

export type SendOutcome =
  | { readonly kind: 'sent'; readonly providerMessageId: string; readonly customerId?: string }
  /** The provider said no: surely not sent. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** Nothing left this machine, or the provider's answer proves that nothing was taken: surely not sent. */
  | { readonly kind: 'unreachable'; readonly failure: Failure }
  /** The request left and no complete answer came: it may have been sent. Never resent blindly. */
  | { readonly kind: 'uncertain'; readonly failure: Failure };

/** Base URLs and time-outs; one table, so that a stand-in can serve. */
export interface SendingNetwork {
  readonly baseUrl: string;
  /** `anywhere` only where the operator set the base URL: a tenant's stays within what the operator allows. */
  readonly reach: Reach;
  readonly timeouts: SendTimeouts;
  readonly signal: AbortSignal;
}

export interface SendTimeouts {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly totalMs: number;
}

export const defaultSendTimeouts: SendTimeouts = {
  connectMs: 3_000,
  headersMs: 10_000,
  bodyMs: 5_000,
  totalMs: 15_000,
};

/** Names of the fields that an account of this provider needs; secrets are sealed, settings are not. */
export interface AccountFields {
  readonly secrets: readonly SecretField[];
  readonly settings: readonly SettingField[];
  /** The provider's names of the webhook events that we make use of: what an account wants if it names none. */
  readonly webhookEvents: readonly string[];
}

export interface SecretField {
  readonly name: string;
  /** In the words of the provider's own panel, which are not translated there either. */
  readonly label: string;
  readonly isRequired: boolean;
  readonly hint: string;
  /** What `verify` or `challenge` checks with it; absent: it is not for webhooks. */
  readonly verifies?: 'signature' | 'challenge';
}

export interface SettingField {
  readonly name: string;
  /** In the words of the provider's own panel, which are not translated there either. */
  readonly label: string;
  /** The beginning of a value, to see what is meant. */
  readonly placeholder?: string;
  readonly isRequired: boolean;
  readonly hint: string;
  /** What a value must look like; absent: any text. */
  readonly accepts?: RegExp;
  /** An http(s) URL that calls go to: its form is checked when it is given, where it leads when it is dialled. */
  readonly isUrl?: true;
  /** The name of a time zone, as IANA lists them. */
  readonly isTimeZone?: true;
  /** The provider's id of the account that stands in this setting, as events name it in their bindings. */
  readonly binds?: Binding['kind'];
}

/** The session on WhatsApp's web client behind an account, for providers that link a phone by QR code. */
export interface SessionControl {
  /**
   * Makes the session run. Where it needs linking, codes follow: in the answer, or as account events of type `qr`.
   */
  start(account: SendingAccount, wish: SessionWish, network: SendingNetwork): Promise<SessionAnswer>;
  look(account: SendingAccount, network: SendingNetwork): Promise<SessionAnswer>;
  /** The phone is linked no longer. Done already is done. */
  logOut(account: SendingAccount, network: SendingNetwork): Promise<SessionAnswer>;
  /** Is there a WhatsApp account with this number (E.164)? */
  checkNumber(account: SendingAccount, phone: string, network: SendingNetwork): Promise<NumberAnswer>;
}

export interface SessionWish {
  /** Where the session shall post; null: it is told otherwise. Holds the token. */
  readonly webhookUrl: string | null;
  /** E.164, for a code that is typed instead of scanned. */
  readonly phoneNumber: string | null;
}

/** What a provider refused or where it could not be reached: as of a send, but nothing is uncertain. */
export type SessionFailure = {
  readonly kind: 'refused' | 'unreachable';
  readonly failure: Failure;
};

export type SessionAnswer =
  | {
      readonly kind: 'state';
      readonly connection: NonNullable<AccountEvent['connection']>;
      /** A code to show at once. */
      readonly qr?: NonNullable<AccountEvent['qr']>;
    }
  | SessionFailure;

export type NumberAnswer = { readonly kind: 'checked'; readonly isOnWhatsApp: boolean } | SessionFailure;
/** A span of time and how far a reading of it has come; `cursor` null at its beginning. */
export interface MessageListRequest {
  readonly from: Date;
  /** Not included. */
  readonly until: Date;
  readonly cursor: string | null;
  /** Wanted on one page; a provider may give fewer or more. */
  readonly pageSize: number;
}

/** What a provider keeps of one message or receipt, put as its own webhook would have brought it. */
export interface ListedRequest extends Pick<RawRequest, 'method' | 'headers' | 'body'> {
  /** When it happened, by the provider. */
  readonly at: Date;
  /** Put after the webhook's path; Twilio's callbacks carry facts there. */
  readonly query: string;
}

export type MessageList =
  | {
      readonly kind: 'page';
      readonly requests: readonly ListedRequest[];
      /** null: the span was read to its end. */
      readonly nextCursor: string | null;
      /**
       * On the last page: from when on the provider still knew. Later than `from`, or null (nothing shows it), where its
       * store does not reach back so far.
       */
      readonly knownFrom: Date | null;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface Channel {
  readonly provider: Provider;
  readonly capabilities: Capabilities;
  readonly fields: AccountFields;
  /** Pure, constant time over the raw bytes. Never throws on hostile input. */
  verify(request: RawRequest, secrets: VerifySecrets, nowMs: number): Verification;
  /**
   * Whether a request brings a signature at all, by its shape: what brings none `verify` refuses, whatever the secrets, so
   * nothing need be looked up for it. Absent where requests need not be signed.
   */
  hasSignature?(headers: RawRequest['headers']): boolean;
  /** The GET handshake; only Meta and Instagram have one. */
  challenge?(target: string, secrets: VerifySecrets): Challenge;
  /** Pure. Never throws: what cannot be read is `unreadable`, what is not known is an `unsupported` event. */
  normalise(input: NormaliseInput): Normalised;
  /** Secret values inside the body (Evolution's `apikey`), as byte ranges of the raw body. */
  findSecrets?(body: Uint8Array): readonly SecretSpan[];
  /** Absent where nothing can be asked or set at the provider (the companion is told by its own settings). */
  readonly webhook?: WebhookAbility;
  send(account: SendingAccount, request: SendRequest, network: SendingNetwork): Promise<SendOutcome>;
  /** Absent: the provider links no phone. Its sends pass the gate for unofficial accounts. */
  readonly sessions?: SessionControl;
  /**
   * Messages and receipts that the provider still has of a span, page by page, in no promised order; for a gap in which
   * webhooks were lost. Absent: this provider tells nobody later (Meta and Instagram repeat theirs for days instead).
   */
  listMessages?(account: SendingAccount, request: MessageListRequest, network: SendingNetwork): Promise<MessageList>;
  /** `chat` is the customer's addresses as in `SendRequest.to`: WhatsApp's own protocol marks by chat and id (Evolution). */
  markRead?(
    account: SendingAccount,
    providerMessageId: string,
    network: SendingNetwork,
    chat?: SendRequest['to'],
  ): Promise<SendOutcome>;
}
