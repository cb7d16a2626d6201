/**
 * Writes what deliveries became: keys, events, the effects of those that need no conversation lock (receipts, account
 * events), dead letters, and the deliveries settled; one transaction a workspace.
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
import { newId } from '#kernel';
import type { ReceiptOutcome } from '#outbox';
import type { Storage, WorkspaceTx } from '#storage';
import {
  claimKeys,
  insertDeadLetters,
  insertEvents,
  markDue,
  type NewEventRow,
  type SettledDelivery,
  settleDeliveries,
} from './normalise-store.ts';
import type { DeliveryPlan, PlannedDeadLetter, PlannedEvent } from './plan.ts';

/** What the rooms above do with an event; each runs in the transaction it is given. */
export interface EventEffects {
  openConversation(tx: WorkspaceTx, account: ServingAccount, event: MessageEvent): Promise<ConversationId>;
  applyReceipt(tx: WorkspaceTx, account: ServingAccount, eventId: EventId, event: StatusEvent): Promise<ReceiptOutcome>;
  applyAccountEvent(tx: WorkspaceTx, account: ServingAccount, event: AccountEvent): Promise<void>;
  /** These deliveries of the transaction's workspace were read. */
  deliveriesRead?(tx: WorkspaceTx, ids: readonly DeliveryId[]): void;
}

type Fresh = PlannedEvent & { readonly eventId: EventId };

/**
 * A delivery of a shared route lies in the operator's workspace while its events belong to others: their transactions
 * come first and the settling last, so that a crash between them repeats the delivery and the keys absorb the repeat.
 */
export async function writePlans(
  storage: Storage,
  effects: EventEffects,
  plans: readonly DeliveryPlan[],
): Promise<void> {
  const duplicates = new Map<string, number>();
  const owners = [...new Set(plans.map((plan) => plan.delivery.workspaceId))];
  const guests = [...new Set(plans.flatMap((plan) => plan.events.map((event) => event.account.workspaceId)))].filter(
    (workspaceId) => !owners.includes(workspaceId),
  );
  for (const workspaceId of [...guests, ...owners]) {
    await storage.inWorkspace(workspaceId, async (tx) => {
      await writeEvents(tx, effects, plans, duplicates);
      await settle(tx, effects, plans, duplicates);
    });
  }
}

async function writeEvents(
  tx: WorkspaceTx,
  effects: EventEffects,
  plans: readonly DeliveryPlan[],
  duplicates: Map<string, number>,
): Promise<void> {
  const planned = plans.flatMap((plan) => plan.events).filter((event) => event.account.workspaceId === tx.workspaceId);
  if (planned.length === 0) return;
  const fresh = await claimFresh(tx, planned, duplicates);
  const rows: NewEventRow[] = [];
  for (const event of fresh) rows.push(await toRow(tx, effects, event));
  await insertEvents(tx, rows);
  const due = rows.flatMap((row) => (row.state === 'pending' && row.conversationId ? [row.conversationId] : []));
  await markDue(tx, [...new Set(due)].sort());
}

/** The same key twice within one batch is one event too: the first stands. */
async function claimFresh(
  tx: WorkspaceTx,
  planned: readonly PlannedEvent[],
  duplicates: Map<string, number>,
): Promise<readonly Fresh[]> {
  const first = new Map<string, Fresh>();
  for (const event of planned) {
    const key = `${event.account.accountId}:${event.keyHash.toString('base64')}`;
    if (first.has(key)) countDuplicate(duplicates, event);
    else first.set(key, { ...event, eventId: newId('event') });
  }
  const candidates = [...first.values()];
  const claimed = await claimKeys(
    tx,
    candidates.map((event) => ({ eventId: event.eventId, accountId: event.account.accountId, keyHash: event.keyHash })),
  );
  for (const event of candidates) if (!claimed.has(event.eventId)) countDuplicate(duplicates, event);
  return candidates.filter((event) => claimed.has(event.eventId));
}

function countDuplicate(duplicates: Map<string, number>, event: PlannedEvent): void {
  const id = event.delivery.deliveryId;
  duplicates.set(id, (duplicates.get(id) ?? 0) + 1);
}

async function toRow(tx: WorkspaceTx, effects: EventEffects, planned: Fresh): Promise<NewEventRow> {
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
      return { ...row, state: 'pending', conversationId: await effects.openConversation(tx, account, event) };
    case 'status': {
      const outcome = await effects.applyReceipt(tx, account, eventId, event);
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

async function settle(
  tx: WorkspaceTx,
  effects: EventEffects,
  plans: readonly DeliveryPlan[],
  duplicates: ReadonlyMap<string, number>,
): Promise<void> {
  const own = plans.filter((plan) => plan.delivery.workspaceId === tx.workspaceId);
  if (own.length === 0) return;
  await insertDeadLetters(tx, own.flatMap((plan) => plan.deadLetters).map(toDeadLetter));
  await settleDeliveries(
    tx,
    own.map((plan) => toSettled(plan, duplicates.get(plan.delivery.deliveryId) ?? 0)),
  );
  effects.deliveriesRead?.(
    tx,
    own.map((plan) => plan.delivery.deliveryId),
  );
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
    detail: letter.detail,
    path: letter.path,
  };
}
