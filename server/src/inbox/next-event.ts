/**
 * Which of a conversation's pending events comes next (promise 3).
 *
 * A comes before B if A was answered before B was sent; of those in flight together the provider's time stamp decides,
 * then the delivery. `position` numbers the batches in which deliveries were committed; `afterPosition` is the last
 * batch that its gateway had answered when the request came in. So A surely precedes B when A's position is at most B's
 * afterPosition.
 */
export interface OrderedEvent {
  readonly eventId: string;
  readonly deliveryId: string;
  readonly ordinal: number;
  readonly occurredAt: Date | null;
  readonly receivedAt: Date;
  readonly position: bigint;
  readonly afterPosition: bigint;
}

/** The next one; undefined for none. Events of one delivery keep the order in which the provider wrote them, time stamps equal. */
export function nextEvent<Event extends OrderedEvent>(pending: readonly Event[]): Event | undefined {
  let smallest: bigint | undefined;
  for (const event of pending) if (smallest === undefined || event.position < smallest) smallest = event.position;
  if (smallest === undefined) return undefined;
  const first = smallest;
  const candidates = pending.filter((event) => event.afterPosition < first);
  return (candidates.length > 0 ? candidates : pending.filter((event) => event.position === first)).reduce(earlier);
}

function earlier<Event extends OrderedEvent>(a: Event, b: Event): Event {
  const byTime = timeOf(a) - timeOf(b);
  if (byTime !== 0) return byTime < 0 ? a : b;
  if (a.deliveryId !== b.deliveryId) return a.deliveryId < b.deliveryId ? a : b;
  return a.ordinal <= b.ordinal ? a : b;
}

function timeOf(event: OrderedEvent): number {
  return (event.occurredAt ?? event.receivedAt).getTime();
}
