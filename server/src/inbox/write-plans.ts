/**
 * Writes what deliveries became: keys, events, the effects of those that need no conversation lock (receipts, account
 * events), dead letters, and the deliveries settled.
 */
import type {
  AccountEvent,
  ConversationId,
  DeliveryId,
  EventId,
  MessageEvent,
  StatusEvent,
} from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import { crashPoint, newId } from '#kernel';
import type { ReceiptOutcome } from '#outbox';
import type { NoteChange, Storage, WorkspaceTx } from '#storage';
import { LeaseLost } from './lease-lost.ts';
import {
  claimKeys,
  findClaimants,
  insertDeadLetters,
  type KeyedEvent,
  type NewEventRow,
  type SettledDelivery,
  writeOutcome,
} from './normalise-store.ts';
import { isPassing } from './passing.ts';
import type { DeliveryPlan, PlannedDeadLetter, PlannedEvent } from './plan.ts';
import { type Portion, portionsOf, slicesOf } from './slices.ts';

/** What the rooms above do with an event; each runs in the transaction it is given. */
export interface EventEffects {
  /** One for each, in their order. */
  openConversations(tx: WorkspaceTx, messages: readonly AccountMessage[]): Promise<readonly ConversationId[]>;
  applyReceipt(tx: WorkspaceTx, account: ServingAccount, eventId: EventId, event: StatusEvent): Promise<ReceiptOutcome>;
  applyAccountEvent(tx: WorkspaceTx, account: ServingAccount, event: AccountEvent): Promise<void>;
  readonly noteChange: NoteChange;
}

/** A message event with the account that it came by. */
export interface AccountMessage {
  readonly account: ServingAccount;
  readonly event: MessageEvent;
}

/** What writing needs beside what it writes. */
export interface Writing {
  readonly storage: Storage;
  readonly effects: EventEffects;
  readonly leaseMs: number;
  /** Called before each transaction: renews the lease, and throws when it is lost. */
  readonly keepLease: () => Promise<void>;
  /** Conversations have become due. */
  readonly wakeTurns: () => void;
}

export const writeLimits = { eventsPerTransaction: 500, deadLetterDetail: 2_000 } as const;

export async function writePlans(writing: Writing, plans: readonly DeliveryPlan[]): Promise<void> {
  const duplicates: Duplicates = new Map();
  for (const slice of slicesOf(plans, writeLimits.eventsPerTransaction)) {
    for (const [index, portion] of portionsOf(slice).entries()) {
      if (index > 0) crashPoint('normalise.between-workspaces');
      await writePortion(writing, portion, duplicates);
      writing.wakeTurns();
    }
  }
}

/**
 * Each event in a transaction of its own: one that cannot be written becomes a dead letter, its neighbours take effect.
 * Throws when the database is away.
 */
export async function writeApart(writing: Writing, plan: DeliveryPlan): Promise<void> {
  const duplicates: Duplicates = new Map();
  const written: PlannedEvent[] = [];
  const failed: PlannedDeadLetter[] = [];
  for (const event of plan.events) {
    try {
      await writePortion(writing, { workspaceId: event.account.workspaceId, events: [event], settled: [] }, duplicates);
      written.push(event);
    } catch (error) {
      if (isPassing(error) || error instanceof LeaseLost) throw error;
      failed.push({ delivery: plan.delivery, reason: 'failed', detail: String(error), path: event.event.path });
    }
  }
  const settled = [{ ...plan, events: written, deadLetters: [...plan.deadLetters, ...failed] }];
  await writePortion(writing, { workspaceId: plan.delivery.workspaceId, events: [], settled }, duplicates);
  writing.wakeTurns();
}

/** Events of a delivery that had taken effect before, by another delivery or another part of this one. */
type Duplicates = Map<DeliveryId, number>;

async function writePortion(writing: Writing, portion: Portion, duplicates: Duplicates): Promise<void> {
  await writing.keepLease();
  const found = await writing.storage.inWorkspace(
    portion.workspaceId,
    async (tx) => {
      const { rows, again } = await takeEffect(tx, writing, portion.events);
      crashPoint('normalise.effects-taken');
      await close(tx, { rows, plans: portion.settled, duplicates: added(duplicates, again) });
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

type Fresh = PlannedEvent & { readonly eventId: EventId };

/** The rows of what is new, and the delivery of each event that is not. */
async function takeEffect(
  tx: WorkspaceTx,
  { effects, leaseMs }: Writing,
  planned: readonly PlannedEvent[],
): Promise<{ readonly rows: readonly NewEventRow[]; readonly again: readonly DeliveryId[] }> {
  if (planned.length === 0) return { rows: [], again: [] };
  const { first, twins } = firstOfEach(planned);
  const claimed = await claimKeys(tx, first.map(toKeyed), leaseMs);
  crashPoint('normalise.keys-claimed');
  const known = first.filter((event) => !claimed.has(event.eventId));
  const rows: NewEventRow[] = [];
  const fresh = first.filter((event) => claimed.has(event.eventId));
  const ordered = inOrderOfLocks(fresh);
  const opened = await openAll(tx, effects, ordered);
  for (const event of ordered) rows.push(await toRow(tx, effects, event, opened));
  return { rows, again: [...twins.map((event) => event.delivery.deliveryId), ...(await takenByOthers(tx, known))] };
}

/**
 * Two batches that meet on several new customers, or on several sent messages, would wait for each other if each took
 * them as they came. Of one customer and of one message the order stays. Where customers have more than one address, a
 * deadlock is still possible; then the work is done again.
 */
function inOrderOfLocks(events: readonly Fresh[]): readonly Fresh[] {
  return events
    .map((event) => ({ event, lock: lockOf(event) }))
    .sort((a, b) => (a.lock < b.lock ? -1 : a.lock > b.lock ? 1 : 0))
    .map(({ event }) => event);
}

function lockOf({ event }: PlannedEvent): string {
  if (event.kind === 'status') return `status ${event.providerMessageId}`;
  if (event.kind !== 'message') return event.kind;
  const [address] = event.customer.map(({ value }) => value.replace(/^\+/, '')).sort();
  return `message ${address ?? event.groupId ?? ''}`;
}

/** The same key twice at once is one event too: the first stands. */
function firstOfEach(planned: readonly PlannedEvent[]) {
  const first = new Map<string, Fresh>();
  const twins: PlannedEvent[] = [];
  for (const event of planned) {
    const key = `${event.account.accountId}:${event.keyHash.toString('base64')}`;
    if (first.has(key)) twins.push(event);
    else first.set(key, { ...event, eventId: newId('event') });
  }
  return { first: [...first.values()], twins };
}

function toKeyed(event: Fresh): KeyedEvent {
  return { eventId: event.eventId, accountId: event.account.accountId, keyHash: event.keyHash };
}

/** A delivery that is handled again, after a crash or as a replay, is no duplicate of itself. */
async function takenByOthers(tx: WorkspaceTx, known: readonly Fresh[]): Promise<readonly DeliveryId[]> {
  if (known.length === 0) return [];
  const claimants = await findClaimants(tx, known.map(toKeyed));
  return known
    .filter((event) => claimants.get(event.eventId) !== event.delivery.deliveryId)
    .map((event) => event.delivery.deliveryId);
}

type Opened = ReadonlyMap<EventId, ConversationId>;

async function openAll(tx: WorkspaceTx, effects: EventEffects, events: readonly Fresh[]): Promise<Opened> {
  const messages = events.flatMap(({ account, event, eventId }) =>
    event.kind === 'message' ? [{ account, event, eventId }] : [],
  );
  if (messages.length === 0) return new Map();
  const ids = await effects.openConversations(tx, messages);
  return new Map(messages.map(({ eventId }, index) => [eventId, ids[index]!]));
}

async function toRow(tx: WorkspaceTx, effects: EventEffects, planned: Fresh, opened: Opened): Promise<NewEventRow> {
  const { account, delivery, event, eventId, ordinal } = planned;
  const row = {
    eventId,
    deliveryId: delivery.deliveryId,
    accountId: account.accountId,
    conversationId: null,
    ordinal,
    event,
    receivedAt: delivery.receivedAt,
    position: delivery.position,
    afterPosition: delivery.afterPosition,
    reason: null,
    waitKey: null,
    isTest: delivery.isTest,
  } satisfies Partial<NewEventRow>;
  switch (event.kind) {
    case 'message':
      return { ...row, state: 'pending', conversationId: opened.get(eventId)! };
    case 'status': {
      const outcome = await effects.applyReceipt(tx, account, eventId, event);
      crashPoint('normalise.receipt-applied');
      if (outcome.kind === 'waiting') return { ...row, state: 'parked', waitKey: outcome.waitKey };
      return { ...row, state: 'handled', reason: outcome.kind };
    }
    case 'account':
      await effects.applyAccountEvent(tx, account, event);
      return { ...row, state: 'handled' };
    case 'unsupported':
      return { ...row, state: 'ignored', reason: event.reason };
  }
}

/** Dead letters only of those that were still open: a worker that woke up too late adds none. */
async function close(
  tx: WorkspaceTx,
  {
    rows,
    plans,
    duplicates,
  }: {
    readonly rows: readonly NewEventRow[];
    readonly plans: readonly DeliveryPlan[];
    readonly duplicates: Duplicates;
  },
): Promise<void> {
  if (rows.length === 0 && plans.length === 0) return;
  const due = rows.flatMap((row) => (row.state === 'pending' ? (row.conversationId ?? []) : []));
  const settled = plans.map((plan) => toSettled(plan, duplicates.get(plan.delivery.deliveryId) ?? 0));
  const open = await writeOutcome(tx, { events: rows, due: [...new Set(due)], settled });
  const letters = plans.filter((plan) => open.has(plan.delivery.deliveryId)).flatMap((plan) => plan.deadLetters);
  await insertDeadLetters(tx, letters.map(toDeadLetter));
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
