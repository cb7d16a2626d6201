import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { nextEvent, type OrderedEvent } from './next-event.ts';

function event(facts: Partial<OrderedEvent> & { readonly eventId: string; readonly position: bigint }): OrderedEvent {
  return {
    deliveryId: facts.eventId,
    ordinal: 0,
    occurredAt: null,
    receivedAt: new Date('2026-01-01T00:00:00Z'),
    afterPosition: facts.position - 1n,
    ...facts,
  };
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

describe('the next of a conversation’s pending events', () => {
  it('is the one that was answered before the other was sent, whatever their time stamps say', () => {
    const answered = event({ eventId: 'a', position: 1n, occurredAt: at(9) });
    const later = event({ eventId: 'b', position: 2n, afterPosition: 1n, occurredAt: at(1) });
    expect(nextEvent([later, answered])?.eventId).toBe('a');
  });

  it('is the earlier by the provider’s clock when both were in flight together', () => {
    const first = event({ eventId: 'a', position: 1n, afterPosition: 0n, occurredAt: at(9) });
    const second = event({ eventId: 'b', position: 2n, afterPosition: 0n, occurredAt: at(1) });
    expect(nextEvent([first, second])?.eventId).toBe('b');
  });

  it('is decided by the delivery, then by the place in it, when the time stamps are equal', () => {
    const one = event({ eventId: 'x', deliveryId: 'd1', ordinal: 1, position: 1n, occurredAt: at(1) });
    const zero = event({ eventId: 'y', deliveryId: 'd1', ordinal: 0, position: 1n, occurredAt: at(1) });
    const other = event({ eventId: 'z', deliveryId: 'd2', ordinal: 0, position: 1n, occurredAt: at(1) });
    expect(nextEvent([other, one, zero])?.eventId).toBe('y');
  });

  it('is none of none', () => {
    expect(nextEvent([])).toBeUndefined();
  });
});

const someEvents = fc.array(
  fc.record({
    position: fc.integer({ min: 1, max: 20 }),
    back: fc.integer({ min: 1, max: 3 }),
    second: fc.integer({ min: 0, max: 59 }),
  }),
  { minLength: 1, maxLength: 12 },
);

test.prop([someEvents])(
  'taking next after next never puts an event before one that was answered before it was sent',
  (specs) => {
    const pending = specs.map((spec, index) =>
      event({
        eventId: String(index).padStart(3, '0'),
        position: BigInt(spec.position),
        afterPosition: BigInt(spec.position - spec.back),
        occurredAt: at(spec.second),
      }),
    );
    const taken: OrderedEvent[] = [];
    let rest = pending;
    while (rest.length > 0) {
      const next = nextEvent(rest);
      if (!next) throw new Error('nothing next of something');
      taken.push(next);
      rest = rest.filter((candidate) => candidate !== next);
    }
    taken.forEach((earlier, index) => {
      for (const later of taken.slice(index + 1)) expect(later.position <= earlier.afterPosition).toBe(false);
    });
  },
);
