/**
 * Events that came before their message wait for it here: a status before our send was recorded, an edit, delete or
 * reaction before what it changes.
 */
import type { AccountId, ConversationId, EventId, StatusEvent } from '@switchyard/contract';
import { crashPoint, createLoop, type Log, type Loop } from '#kernel';
import type { KnownProviderId, ReceiptOutcome } from '#outbox';
import type { Storage, WorkspaceTx } from '#storage';
import { markDue } from './normalise/normalise-store.ts';
import {
  expireParked,
  findPassed,
  findWorkspacesWithParked,
  lockParked,
  maxLockedParked,
  type ParkedEvent,
  setState,
  type WorkspaceWithParked,
} from './parked-store.ts';

export const parkedLimits = {
  sweepMs: 2_000,
  /** Those that came longer ago wait for their message alone, which releases them. */
  lookBackMs: 60 * 60_000,
  keepDays: 8,
  /** Of one workspace, those that are looked at, and those that end. */
  perSweep: 500,
  maxLooks: 3,
} as const;

export type ApplyReceipt = (
  tx: WorkspaceTx,
  accountId: AccountId,
  eventId: EventId,
  event: StatusEvent,
) => Promise<ReceiptOutcome>;

/** Called in the transaction that makes providers' message ids known. All that wait go on, however many. */
export async function releaseParked(
  tx: WorkspaceTx,
  applyReceipt: ApplyReceipt,
  known: readonly KnownProviderId[],
): Promise<void> {
  let parked = await lockParked(tx, known);
  while (parked.length > 0) {
    await release(tx, applyReceipt, parked);
    parked = parked.length < maxLockedParked ? [] : await lockParked(tx, known, parked.at(-1));
  }
}

async function release(tx: WorkspaceTx, applyReceipt: ApplyReceipt, parked: readonly ParkedEvent[]): Promise<void> {
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

export interface ParkedSweepDeps {
  readonly storage: Storage;
  readonly applyReceipt: ApplyReceipt;
  readonly log: Log;
}

/** Finds those that passed their message on the way, and ends those that nobody came for. */
export function createParkedSweep(deps: ParkedSweepDeps): Loop {
  return createLoop({
    name: 'parked',
    idleMs: parkedLimits.sweepMs,
    afterErrorMs: parkedLimits.sweepMs,
    log: deps.log,
    step: async () => {
      for (const found of await findWorkspacesWithParked(deps.storage, parkedLimits)) {
        crashPoint('parked.before-sweep');
        try {
          await sweepWorkspace(deps, found);
        } catch (error) {
          // What fails in one workspace, by its content or its size, holds up no other.
          const facts = { workspaceId: found.workspaceId, error: String(error) };
          deps.log.error(facts, 'parked events of a workspace could not be looked at');
        }
      }
      return false;
    },
  });
}

/** Each half is a transaction of its own, so that what cannot be looked at ends all the same. */
async function sweepWorkspace(deps: ParkedSweepDeps, found: WorkspaceWithParked): Promise<void> {
  const { storage, applyReceipt, log } = deps;
  const { workspaceId, hasFresh, isOverdue } = found;
  const { lookBackMs, maxLooks, perSweep, keepDays } = parkedLimits;
  if (isOverdue) {
    const expired = await storage.inWorkspace(workspaceId, (tx) => expireParked(tx, keepDays, perSweep), 'by-key');
    if (expired > 0) log.warn({ workspaceId, expired }, 'parked events ended: their messages never came');
  }
  if (!hasFresh) return;
  await storage.inWorkspace(
    workspaceId,
    async (tx) => {
      await releaseParked(tx, applyReceipt, await findPassed(tx, { limit: perSweep, maxLooks, lookBackMs }));
    },
    'by-key',
  );
}
