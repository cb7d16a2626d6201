/**
 * What becomes of one delivery: which events go to which account, and which parts become dead letters. Pure but for
 * the look-up of accounts, which it is handed.
 */
import { createHash } from 'node:crypto';
import type { InboundEvent, Provider } from '@switchyard/contract';
import { isBoundTo, type ServingAccount } from '#accounts';
import type { Channel } from '#channels';
import type { StoredDelivery } from './normalise-store.ts';

export interface PlannedEvent {
  readonly account: ServingAccount;
  readonly delivery: StoredDelivery;
  readonly ordinal: number;
  readonly event: InboundEvent;
  readonly keyHash: Buffer;
}

export interface PlannedDeadLetter {
  readonly delivery: StoredDelivery;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly path: string;
}

export type DeadLetterReason = 'unreadable' | 'foreign-account' | 'unknown-account' | 'account-removed' | 'failed';

export interface DeliveryPlan {
  readonly delivery: StoredDelivery;
  readonly events: readonly PlannedEvent[];
  readonly deadLetters: readonly PlannedDeadLetter[];
}

/** Finds the account of one event of a delivery; null when nobody here has it. */
export type AccountOfEvent = (delivery: StoredDelivery, event: InboundEvent) => Promise<ServingAccount | null>;

export async function planDelivery(
  delivery: StoredDelivery,
  channel: Channel,
  accountOf: AccountOfEvent,
): Promise<DeliveryPlan> {
  const { events, unreadable } = channel.normalise({
    headers: delivery.headers,
    target: delivery.target,
    body: delivery.body,
    receivedAt: delivery.receivedAt.toISOString(),
  });
  const plan = { delivery, events: [] as PlannedEvent[], deadLetters: [] as PlannedDeadLetter[] };
  for (const part of unreadable) {
    plan.deadLetters.push({ delivery, reason: 'unreadable', detail: part.reason, path: part.path });
  }
  for (const [ordinal, event] of events.entries()) {
    const account = await accountOf(delivery, event);
    const refusal = refusalOf(account, event);
    if (refusal) plan.deadLetters.push({ delivery, ...refusal, path: event.path });
    else if (account)
      plan.events.push({ account, delivery, ordinal, event, keyHash: hashKey(delivery.provider, event) });
  }
  return plan;
}

function refusalOf(account: ServingAccount | null, event: InboundEvent) {
  const named = event.bindings.map((binding) => `${binding.kind} ${binding.value}`).join(', ');
  if (!account) return { reason: 'unknown-account', detail: `no account here has ${named || 'this event'}` } as const;
  if (account.isDeleted) return { reason: 'account-removed', detail: `the account was removed` } as const;
  if (!isBoundTo(account, event.bindings)) {
    return { reason: 'foreign-account', detail: `names ${named}, which is not this account's` } as const;
  }
  return null;
}

/** The key of section 8, hashed; the account is a column beside it. The kind keeps equal ids of different kinds apart. */
export function hashKey(provider: Provider, event: InboundEvent): Buffer {
  return createHash('sha256').update(`${provider}:${event.kind}:${event.key}`).digest();
}
