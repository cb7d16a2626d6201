/**
 * Events that came before their message wait for it here: a status before our send was recorded, an edit, delete or
 * reaction before what it changes.
 */
import type { AccountId, ConversationId, EventId, StatusEvent } from '@switchyard/contract';
import { crashPoint, createLoop, type Log, type Loop } from '#kernel';
import type { KnownProviderId, ReceiptOutcome } from '#outbox';
import type { Storage, WorkspaceTx } from '#storage';
import { markDue } from './normalise/normalise-store.ts';
import { expireParked, findPassed, findWorkspacesWithParked, lockParked, setState } from './parked-store.ts';

export const parkedLimits = { sweepMs: 2_000, keepDays: 8, perSweep: 500, maxLooks: 3 } as const;

export type ApplyReceipt = (
  tx: WorkspaceTx,
  accountId: AccountId,
  eventId: EventId,
  event: StatusEvent,
) => Promise<ReceiptOutcome>;

/** Called in the transaction that makes providers' message ids known. */
export async function releaseParked(
  tx: WorkspaceTx,
  applyReceipt: ApplyReceipt,
  known: readonly KnownProviderId[],
): Promise<void> {
  const parked = await lockParked(tx, known);
  if (parked.length === 0) return;
  const handled: EventId[] = [];
  const pending: { id: EventId; conversationId: ConversationId }[] = [];
  for (const { eventId, accountId, event, conversationId } of parked) {
    if (event.kind === 'status') {
      const outcome = await applyReceipt(tx, accountId, eventId, event);
      if (outcome.kind !== 'waiting') handled.push(eventId);
    } else if (conversationId) pending.push({ id: eventId, conversationId });
  }
  if (handled.length > 0) await setState(tx, handled, 'handled', 'waited for its message');
  if (pending.length === 0) return;
  const ids = pending.map((event) => event.id);
  await setState(tx, ids, 'pending', 'waited for its message');
  await markDue(tx, [...new Set(pending.map((event) => event.conversationId))].sort());
  crashPoint('turn.parked-released');
}

/** Finds those that passed their message on the way, and ends those that nobody came for. */
export function createParkedSweep(deps: {
  readonly storage: Storage;
  readonly applyReceipt: ApplyReceipt;
  readonly log: Log;
}): Loop {
  return createLoop({
    name: 'parked',
    idleMs: parkedLimits.sweepMs,
    afterErrorMs: parkedLimits.sweepMs,
    log: deps.log,
    step: async () => {
      for (const workspaceId of await findWorkspacesWithParked(deps.storage)) {
        crashPoint('parked.before-sweep');
        await deps.storage.inWorkspace(workspaceId, async (tx) => {
          const looking = { limit: parkedLimits.perSweep, maxLooks: parkedLimits.maxLooks };
          await releaseParked(tx, deps.applyReceipt, await findPassed(tx, looking));
          const expired = await expireParked(tx, parkedLimits.keepDays);
          if (expired > 0) deps.log.warn({ workspaceId, expired }, 'parked events ended: their messages never came');
        });
      }
      return false;
    },
  });
}
