/** Whose an event is. */
import type { InboundEvent } from '@switchyard/contract';
import type { Accounts, RouteKind, ServingAccount } from '#accounts';
import type { StoredDelivery } from './normalise-store.ts';

/** Most telling first: a number's id says whose an event is, a business account holds several numbers. */
const tellingKinds = [
  'phone_number_id',
  'instagram_id',
  'twilio_address',
  'instance',
  'waba_id',
] as const satisfies RouteKind[];

/**
 * The account whose token the delivery came by. On an app-level route: the one that the event's most telling id leads to;
 * null when that id is nobody's here, even if a lesser one (the business account) is known.
 * Throws StorageUnavailable when it could not look.
 */
export async function accountOfEvent(
  accounts: Accounts,
  delivery: StoredDelivery,
  event: InboundEvent,
): Promise<ServingAccount | null> {
  if (delivery.accountId) return accounts.findServing(delivery.workspaceId, delivery.accountId);
  for (const kind of tellingKinds) {
    const binding = event.bindings.find((candidate) => candidate.kind === kind);
    if (!binding) continue;
    const routed = await accounts.route(kind, binding.value);
    const account = routed.kind === 'found' && routed.account.provider === delivery.provider ? routed.account : null;
    accounts.countRouting(account?.accountId ?? null, account?.workspaceId ?? null, kind, routed.outcome);
    // The gateway could not tell whose this authentic delivery was.
    if (account && !delivery.isTest) accounts.noteWebhook(account, delivery.receivedAt);
    return account;
  }
  return null;
}
