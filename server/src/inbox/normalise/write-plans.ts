/**
 * Writes what deliveries became: events with what they do, dead letters, and the deliveries settled; a transaction for each
 * workspace.
 */
import type { DeliveryId } from '@switchyard/contract';
import { crashPoint, newId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { findAwaited } from '../turns/turn-store.ts';
import type { TurnsTaken } from '../turns/turns-at-once.ts';
import { LeaseLost } from './lease-lost.ts';
import { insertDeadLetters, type NewEventRow, type SettledDelivery, writeOutcome } from './normalise-store.ts';
import type { DeliveryPlan, PlannedDeadLetter, PlannedEvent } from './plan.ts';
import { type Portion, portionsOf, slicesOf } from './slices.ts';
import { takeEffect, type Writing } from './take-effect.ts';

export const writeLimits = {
  /** Events and dead letters; those of one delivery are not divided. */
  partsPerTransaction: 500,
  deadLetterDetail: 2_000,
} as const;

export async function writePlans(writing: Writing, plans: readonly DeliveryPlan[]): Promise<void> {
  const duplicates: Duplicates = new Map();
  for (const slice of slicesOf(plans, writeLimits.partsPerTransaction)) {
    for (const [index, portion] of portionsOf(slice).entries()) {
      if (index > 0) crashPoint('normalise.between-workspaces');
      await writePortion(writing, portion, duplicates);
    }
  }
}

/** Which failures are an event's own; of all others it is tried again. Never asked of a lost lease. */
export type IsItsOwn = (error: unknown) => boolean;

/**
 * Each event in a transaction of its own: one that cannot be written becomes a dead letter, its neighbours take effect.
 * Throws what is not the event's own.
 */
export async function writeApart(writing: Writing, plan: DeliveryPlan, isItsOwn: IsItsOwn): Promise<void> {
  // Whoever has lost the lease writes nothing more, neither of this event nor of those behind it.
  const isLeft = (error: unknown) => error instanceof LeaseLost || !isItsOwn(error);
  const duplicates: Duplicates = new Map();
  const written: PlannedEvent[] = [];
  const failed: PlannedDeadLetter[] = [];
  for (const event of plan.events) {
    try {
      await writePortion(writing, { workspaceId: event.account.workspaceId, events: [event], settled: [] }, duplicates);
      written.push(event);
    } catch (error) {
      if (isLeft(error)) throw error;
      failed.push({ delivery: plan.delivery, reason: 'failed', detail: String(error), path: event.event.path });
    }
  }
  const settle = (deadLetters: readonly PlannedDeadLetter[]) => {
    const settled = [{ ...plan, events: written, deadLetters }];
    return writePortion(writing, { workspaceId: plan.delivery.workspaceId, events: [], settled }, duplicates);
  };
  const letters = [...plan.deadLetters, ...failed];
  try {
    await settle(letters);
  } catch (error) {
    if (letters.length === 0 || isLeft(error)) throw error;
    const detail = `${letters.length} parts were set aside, and could not be written one by one: ${String(error)}`;
    await settle([{ delivery: plan.delivery, reason: 'failed', detail, path: '' }]);
  }
}

/** Events of a delivery that had taken effect before, by another delivery or another part of this one. */
type Duplicates = Map<DeliveryId, number>;

async function writePortion(writing: Writing, portion: Portion, duplicates: Duplicates): Promise<void> {
  await writing.keepLease();
  const found = await writing.storage.inWorkspace(
    portion.workspaceId,
    async (tx) => {
      const { rows, again, taken } = await takeEffect(tx, writing, portion.events);
      crashPoint('normalise.effects-taken');
      await close(tx, writing, { rows, taken, plans: portion.settled, duplicates: added(duplicates, again) });
      writing.effects.noteChange(tx, 'conversation', taken.conversationIds);
      writing.effects.noteChange(
        tx,
        'delivery',
        portion.settled.map((plan) => plan.delivery.deliveryId),
      );
      crashPoint('normalise.before-commit');
      return again;
    },
    'by-key',
  );
  crashPoint('normalise.committed');
  for (const [id, count] of added(duplicates, found)) duplicates.set(id, count);
}

/** Not in place: the transaction that found them may yet be undone. */
function added(known: Duplicates, found: readonly DeliveryId[]): Duplicates {
  const sum = new Map(known);
  for (const id of found) sum.set(id, (sum.get(id) ?? 0) + 1);
  return sum;
}

interface Closing {
  readonly rows: readonly NewEventRow[];
  readonly taken: TurnsTaken;
  readonly plans: readonly DeliveryPlan[];
  readonly duplicates: Duplicates;
}

/** Dead letters only of those that were still open: a worker that woke up too late adds none. */
async function close(tx: WorkspaceTx, writing: Writing, { rows, taken, plans, duplicates }: Closing): Promise<void> {
  if (rows.length === 0 && plans.length === 0) return;
  const due = rows.flatMap((row) => (row.state === 'pending' ? (row.conversationId ?? []) : []));
  const settled = plans.map((plan) => toSettled(plan, duplicates.get(plan.delivery.deliveryId) ?? 0));
  const handled = rows.flatMap(({ eventId, accountId, event }) =>
    event.kind === 'message' && taken.turns.has(eventId)
      ? [{ accountId, providerMessageId: event.providerMessageId }]
      : [],
  );
  const [open, awaited] = await Promise.all([
    writeOutcome(tx, { events: rows, due: [...new Set(due)], settled }),
    findAwaited(tx, handled),
    taken.written,
  ]);
  const letters = plans.filter((plan) => open.has(plan.delivery.deliveryId)).flatMap((plan) => plan.deadLetters);
  await insertDeadLetters(tx, letters.map(toDeadLetter));
  if (awaited.length > 0) await writing.releaseParked(tx, awaited);
  if (due.length + awaited.length > 0) tx.afterCommit(writing.wakeTurns);
}

function toSettled(plan: DeliveryPlan, duplicates: number): SettledDelivery {
  const isDead = plan.events.length === 0 && plan.deadLetters.length > 0;
  return {
    deliveryId: plan.delivery.deliveryId,
    state: isDead ? 'dead' : 'normalised',
    events: plan.events.length,
    duplicates,
    dead: plan.deadLetters.length,
  };
}

function toDeadLetter(letter: PlannedDeadLetter) {
  return {
    id: newId('deadLetter'),
    accountId: letter.delivery.accountId,
    deliveryId: letter.delivery.deliveryId,
    eventId: null,
    reason: letter.reason,
    detail: letter.detail.slice(0, writeLimits.deadLetterDetail),
    path: letter.path,
  };
}
