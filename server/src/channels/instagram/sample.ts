/** Deliveries for tests, written from Meta's documents. */
import type { InboundEvent } from '@switchyard/contract';
import { instagramChannel } from './index.ts';

export const accountId = '17841400000000042';
export const customerId = '2500000000000007';
export const timestampMs = 1_750_000_000_123;

export function delivery(...entries: object[]): object {
  return { object: 'instagram', entry: entries };
}

export function entry(members: object): object {
  return { id: accountId, time: 1_750_000_100_000, ...members };
}

/** One item of `messaging`, from the customer. */
export function item(member: object): object {
  return { sender: { id: customerId }, recipient: { id: accountId }, timestamp: timestampMs, ...member };
}

export function messagingDelivery(...members: object[]): object {
  return delivery(entry({ messaging: members.map(item) }));
}

export function changeDelivery(field: string, value: object): object {
  return delivery({ id: accountId, time: 1_750_000_100, changes: [{ field, value }] });
}

export function normalise(body: unknown) {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return instagramChannel.normalise({ headers: {}, target: '', body: bytes, receivedAt: '2026-01-01T00:00:00.000Z' });
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
