/** Messages and echoes of one change: what customers wrote, and what the owner wrote on the phone. */
import type { InboundEvent, MessageEvent, Referral } from '@switchyard/contract';
import {
  flagAt,
  idAt,
  instantOf,
  type JsonValue,
  objectAt,
  type Part,
  present,
  textAt,
  Unreadable,
  valueAt,
} from '../reading/index.ts';
import { type InboundContent, readContent } from './content.ts';
import { type Named, type Person, personOf } from './people.ts';
import type { MetaValue } from './value.ts';

export type Direction = 'in' | 'out';

/** A message of a customer. */
export function readMessage(item: Part, of: MetaValue): readonly InboundEvent[] {
  const { waId, userId } = senderOf(item.value);
  // News about a person comes from their number, or names it in `system` alone.
  const named = { waId: waId ?? idAt(item.value, 'system', 'customer'), userId };
  return [messageEvent(item, of, { direction: 'in', person: personOf(named, of.contacts) })];
}

/** A message of ours that was typed on the phone (coexistence): outbound, never to be answered. */
export function readEcho(item: Part, of: MetaValue): readonly InboundEvent[] {
  return [messageEvent(item, of, { direction: 'out', person: personOf(receiverOf(item.value), of.contacts) })];
}

/** A message of a history import: ours where it came from the account's own number. Kept, never answered. */
export function readPastMessage(item: Part, of: MetaValue, thread?: Named): readonly InboundEvent[] {
  const direction = isOwn(item.value, of) ? 'out' : 'in';
  const written = direction === 'in' ? senderOf(item.value) : receiverOf(item.value);
  const named = thread ?? written;
  return [{ ...messageEvent(item, of, { direction, person: personOf(named, of.contacts) }), isHistory: true }];
}

function senderOf(message: JsonValue): Named {
  return { waId: idAt(message, 'from'), userId: idAt(message, 'from_user_id') };
}

function receiverOf(message: JsonValue): Named {
  return { waId: idAt(message, 'to'), userId: idAt(message, 'to_user_id') };
}

function isOwn(message: JsonValue, of: MetaValue): boolean {
  const digits = (text: string | undefined) => text?.replaceAll(/\D/g, '') ?? '';
  const own = digits(idAt(of.value.value, 'metadata', 'display_phone_number'));
  return own !== '' && digits(idAt(message, 'from')) === own;
}

interface Parties {
  readonly direction: Direction;
  readonly person: Person;
}

/** The key is `messages[].id`; an edit, a revocation and a reaction come with an id of their own. */
function messageEvent(item: Part, of: MetaValue, parties: Parties): MessageEvent {
  const id = idAt(item.value, 'id');
  if (id === undefined) throw new Unreadable('a message without an id');
  const { direction, person } = parties;
  if (person.identities.length === 0) throw new Unreadable('a message that names nobody');
  const content = readContent(item.value);
  return present({
    kind: 'message',
    type: typeOf(content, direction),
    key: id,
    occurredAt: instantOf(valueAt(item.value, 'timestamp')) ?? of.entry.sentAt,
    bindings: of.bindings,
    path: item.path,
    providerMessageId: id,
    direction,
    customer: person.identities,
    profileName: person.profileName,
    groupId: idAt(item.value, 'group_id'),
    content,
    replyTo: idAt(item.value, 'context', 'id'),
    isForwarded: isForwarded(item.value) ? true : undefined,
    referral: referralOf(item.value),
  });
}

function typeOf(content: InboundContent, direction: Direction): MessageEvent['type'] {
  return direction === 'out' ? 'echo' : content.type;
}

function isForwarded(message: JsonValue): boolean {
  return flagAt(message, 'context', 'forwarded') || flagAt(message, 'context', 'frequently_forwarded');
}

/** The advertisement that was tapped, or the product that was asked about. */
function referralOf(message: JsonValue): Referral | undefined {
  const product = idAt(message, 'context', 'referred_product', 'product_retailer_id');
  if (product !== undefined) return { sourceType: 'product', sourceId: product };
  const referral = objectAt(message, 'referral');
  if (!referral) return undefined;
  return present({
    sourceType: idAt(referral, 'source_type'),
    sourceId: idAt(referral, 'source_id'),
    sourceUrl: idAt(referral, 'source_url'),
    headline: textAt(referral, 'headline'),
    body: textAt(referral, 'body'),
    clickId: idAt(referral, 'ctwa_clid'),
    ref: idAt(referral, 'ref'),
  });
}
