/** Deliveries for tests, written from Meta's documents. */
import type { InboundEvent } from '@switchyard/contract';
import { metaChannel } from './index.ts';

export const phoneNumberId = '100200300400';
export const wabaId = '900800700600';
export const sentAt = 1_750_000_100;
export const contact = { profile: { name: 'Ada Fern' }, wa_id: '4915112345678' };

export function delivery(...entries: object[]): object {
  return { object: 'whatsapp_business_account', entry: entries };
}

export function entry(...changes: object[]): object {
  return { id: wabaId, time: sentAt, changes };
}

/** A delivery of one change of the field `messages` (or another), with metadata. */
export function valueDelivery(value: object, field = 'messages'): object {
  return delivery(entry(change(value, field)));
}

export function change(value: object, field = 'messages'): object {
  const metadata = { display_phone_number: '4930111222', phone_number_id: phoneNumberId };
  return { field, value: { messaging_product: 'whatsapp', metadata, ...value } };
}

export function message(member: object): Record<string, unknown> {
  return { from: contact.wa_id, id: 'wamid.M1', timestamp: '1750000000', ...member };
}

export function messageDelivery(member: object): object {
  return valueDelivery({ contacts: [contact], messages: [message(member)] });
}

export function normalise(body: unknown) {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return metaChannel.normalise({ headers: {}, target: '', body: bytes, receivedAt: '2026-01-01T00:00:00.000Z' });
}

/** The one event of a delivery that holds nothing else. */
export function only(body: unknown): InboundEvent {
  const { events, unreadable } = normalise(body);
  const [event] = events;
  if (events.length !== 1 || unreadable.length !== 0 || !event) {
    throw new Error(`expected one event: ${JSON.stringify({ events, unreadable })}`);
  }
  return event;
}
