/**
 * What new events do, within the transaction that writes them: their keys are claimed, their conversations opened, receipts
 * and account events take effect, and messages that stand alone get their turn.
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
import type { FreshMessage, TakeAtOnce, TurnsTaken } from '../turns/turns-at-once.ts';
import { claimKeys, findClaimants, type KeyedEvent, type NewEventRow } from './normalise-store.ts';
import type { PlannedEvent } from './plan.ts';

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

type Fresh = PlannedEvent & { readonly eventId: EventId };

export interface Effect {
  readonly rows: readonly NewEventRow[];
  /** The delivery of each event that is not new. */
  readonly again: readonly DeliveryId[];
  readonly taken: TurnsTaken;
}

/** Whoever calls it awaits `taken.written` next. */
export async function takeEffect(tx: WorkspaceTx, writing: Writing, planned: readonly PlannedEvent[]): Promise<Effect> {
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
