/**
 * What each provider's folder gives to the rest of the simulator: webhooks in that provider's form. The HTTP door of
 * the provider is its own affair.
 */
import type { Posting } from '../posting/posting.ts';
import type { InboundContent } from './content.ts';
import type { Customer } from './customer.ts';
import type { SimNumber } from './number.ts';
import type { Fields } from './read.ts';
import type { World } from './world.ts';

/** A message that a business sent and the stand-in accepted. */
export interface SentMessage {
  readonly number: SimNumber;
  readonly customer: Customer;
  readonly messageId: string;
  readonly type: string;
  readonly atMs: number;
  /** What the sender gave to recognise it by. */
  readonly correlation?: string;
  /** Twilio: where its statuses go. */
  readonly callbackUrl?: string;
  /** Meta: category of the template, for the price. */
  readonly category?: string;
}

export const receiptStatuses = ['sent', 'delivered', 'read', 'played', 'failed', 'deleted'] as const;
export type ReceiptStatus = (typeof receiptStatuses)[number];

export interface Inbound {
  readonly id: string;
  readonly atMs: number;
  readonly customer: Customer;
  readonly content: InboundContent;
  readonly replyTo?: string;
  readonly isForwarded: boolean;
  readonly groupId?: string;
  /** Came by a click on an advertisement or a link. */
  readonly referral?: Fields;
  /** Instagram: another app owns the thread. */
  readonly isStandby: boolean;
}

/** An event of the account itself. `name` is the provider's own (`account_update`, `connection.update`). */
export interface AccountChange {
  readonly name: string;
  readonly value: Fields;
}

export interface Stand {
  /** A new message id in the provider's form. */
  messageId(world: World, number: SimNumber, isMedia: boolean): string;
  /** The id as everything will name it, where that holds more than the message's own part (web companion). */
  wholeId?(inbound: Inbound): string;
  /** Null where the provider has no such thing. */
  inbound(world: World, number: SimNumber, inbound: Inbound): Posting | null;
  /** Null where the provider reports no such status, or was given no address to report to. */
  receipt(world: World, sent: SentMessage, status: ReceiptStatus, errorCode: string | null): Posting | null;
  account(world: World, number: SimNumber, change: AccountChange): Posting | null;
  /** What is posted when the connection itself changes, by order of a fault or of the API. */
  connection(world: World, number: SimNumber, cause: 'open' | 'ban' | 'disconnect' | 'qr'): Posting[];
}
