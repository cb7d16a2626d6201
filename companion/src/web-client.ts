/**
 * What the companion needs of a library that speaks WhatsApp's web protocol: one connection, made anew after each close.
 * `baileys/` is the one that exists; everything else is written against this.
 */
import type { OutboundContent } from '@switchyard/contract';
import type { CloseReason } from './reconnect.ts';

export type WebEvent =
  /** A code to be scanned: no phone is linked yet. */
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'open'; readonly phoneNumber: string | null; readonly name: string | null }
  /** The end of a connection. */
  | { readonly kind: 'closed'; readonly reason: CloseReason; readonly detail: string }
  /** WhatsApp has been told that we have it: it does not come again. May follow `closed`. */
  | ({ readonly kind: 'news' } & News);

/** To be posted as it is: an event of the library and its JSON. */
export interface News {
  readonly event: string;
  /** Whose order it keeps; null: it waits for nothing. */
  readonly chat: string | null;
  readonly payload: unknown;
  /** The same with the bytes of its files, when they have come. */
  readonly whole?: Promise<unknown>;
}

export interface Recipient {
  /** E.164. */
  readonly phone?: string;
  readonly lid?: string;
  readonly chatId?: string;
}

export interface Sending {
  /** As WhatsApp shall know it; the same again is the same message. */
  readonly messageId: string;
  readonly to: Recipient;
  readonly content: OutboundContent;
  /** The bytes of the content's file, where they are not in it. */
  readonly file?: Buffer;
  readonly replyTo?: string;
}

/**
 * Throws `NotSent` where it is sure that nothing left; anything else thrown leaves that open. Calls no address that
 * stands in a content.
 */
export interface WebClient {
  send(sending: Sending): Promise<{ readonly messageId: string }>;
  markRead(messageId: string, chat: Recipient): Promise<void>;
  isOnWhatsApp(phone: string): Promise<boolean>;
  /** Unlinks us from the phone. */
  logOut(): Promise<void>;
  /** Ends the connection; no event follows. */
  close(): Promise<void>;
}

/** Where the library keeps its keys: texts by name. Writing throws when this machine holds the session no longer. */
export interface SessionStore {
  read(names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  write(changes: Readonly<Record<string, string | null>>): Promise<void>;
}

export type OpenWebClient = (parts: {
  /** Whose it is: no account has all the room for files that are being fetched. */
  readonly accountId: string;
  readonly store: SessionStore;
  readonly onEvent: (event: WebEvent) => void;
}) => Promise<WebClient>;

export type NotSentCode = 'not_on_whatsapp' | 'not_connected' | 'restricted' | 'quota' | 'file_unavailable' | 'invalid';

export class NotSent extends Error {
  override readonly name = 'NotSent';
  readonly code: NotSentCode;

  constructor(code: NotSentCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
