import type { MessageEvent } from '@switchyard/contract';
import type { StoredEvent } from '#conversations';

/** When it happened: by the provider's clock, but never later than we received it; receipt where no time was sent. */
export function occurredAtOf(stored: StoredEvent<MessageEvent>): Date {
  const told = stored.event.occurredAt === null ? Number.NaN : Date.parse(stored.event.occurredAt);
  return Number.isNaN(told) ? stored.receivedAt : new Date(Math.min(told, stored.receivedAt.getTime()));
}
