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
import type { ProviderIdsKnown, ReceiptOutcome } from '#outbox';
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
import { findAwaited } from './turn-store.ts';
import type { FreshMessage, TakeAtOnce, TurnsTaken } from './turns-at-once.ts';

/** What the rooms above do with an event; each runs in the transaction it is given. */
export interface EventEffects {
  /** One for each, in their order; null for those that are not new, which is being found out meanwhile. */
  openConversations(
    tx: WorkspaceTx,
    messages: readonly AccountMessage[],
    isNew: Promise<readonly boolean[]>,
  ): Promise<readonly (ConversationId | null)[]>;
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
  /** null: every message goes the long way, by a lease of its conversation. */
  readonly takeAtOnce: TakeAtOnce | null;
  readonly releaseParked: ProviderIdsKnown;
}

export const writeLimits = { eventsPerTransaction: 500, deadLetterDetail: 2_000 } as const;

export async function writePlans(writing: Writing, plans: readonly DeliveryPlan[]): Promise<void> {
  const duplicates: Duplicates = new Map();
  for (const slice of slicesOf(plans, writeLimits.eventsPerTransaction)) {
    for (const [index, portion] of portionsOf(slice).entries()) {
      if (index > 0) crashPoint('normalise.between-workspaces');
      await writePortion(writing, portion, duplicates);
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

type Fresh = PlannedEvent & { readonly eventId: EventId };

interface Effect {
  readonly rows: readonly NewEventRow[];
  /** The delivery of each event that is not new. */
  readonly again: readonly DeliveryId[];
  readonly taken: TurnsTaken;
}

/** Whoever calls it awaits `taken.written` next. */
async function takeEffect(tx: WorkspaceTx, writing: Writing, planned: readonly PlannedEvent[]): Promise<Effect> {
  if (planned.length === 0) return { rows: [], again: [], taken: noTurns };
  const { effects, leaseMs, takeAtOnce } = writing;
  const { first, twins } = firstOfEach(planned);
  const claiming = claimKeys(tx, first.map(toKeyed), leaseMs).then((eventIds) => {
    crashPoint('normalise.keys-claimed');
    return eventIds;
  });
  const [claimed, opened] = await Promise.all([claiming, openAll(tx, effects, inOrderOfLocks(first), claiming)]);
  const known = first.filter((event) => !claimed.has(event.eventId));
  const again = [...twins.map((event) => event.delivery.deliveryId), ...(await takenByOthers(tx, known))];
  const fresh = inOrderOfLocks(first.filter((event) => claimed.has(event.eventId)));
  const rows: NewEventRow[] = [];
  for (const event of fresh) rows.push(await toRow(tx, effects, event, opened));
  const taken = takeAtOnce
    ? await takeAtOnce(
        tx,
        fresh.flatMap((event) => freshMessage(event, opened)),
      )
    : noTurns;
  return { rows: rows.map((row) => withTurn(row, taken)), again, taken };
}

const noTurns: TurnsTaken = { turns: new Map(), conversationIds: [], written: Promise.resolve() };

function freshMessage({ event, eventId, account, delivery }: Fresh, opened: Opened): readonly FreshMessage[] {
  const conversationId = opened.get(eventId);
  if (event.kind !== 'message' || !conversationId) return [];
  const { deliveryId, receivedAt, isTest } = delivery;
  const places = { position: BigInt(delivery.position), afterPosition: BigInt(delivery.afterPosition) };
  const ids = { eventId, deliveryId, accountId: account.accountId };
  return [{ conversationId, stored: { ...ids, event, ...places, receivedAt, attempts: 0, isTest } }];
}

function withTurn(row: NewEventRow, { turns }: TurnsTaken): NewEventRow {
  const turn = turns.get(row.eventId);
  return turn ? { ...row, state: 'handled', ...turn } : row;
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

/** Who they are is asked in the round trip that claims the keys; who is not known is made for new events only. */
async function openAll(
  tx: WorkspaceTx,
  effects: EventEffects,
  events: readonly Fresh[],
  claiming: Promise<ReadonlySet<string>>,
): Promise<Opened> {
  const messages = events.flatMap(({ account, event, eventId }) =>
    event.kind === 'message' ? [{ account, event, eventId }] : [],
  );
  if (messages.length === 0) return new Map();
  const isNew = claiming.then((claimed) => messages.map(({ eventId }) => claimed.has(eventId)));
  const ids = await effects.openConversations(tx, messages, isNew);
  return new Map(messages.flatMap(({ eventId }, index) => (ids[index] ? [[eventId, ids[index]] as const] : [])));
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
    turnId: null,
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
