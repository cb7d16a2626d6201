/**
 * Events that came before their message wait for it here: a status before our send was recorded, an edit, delete or
 * reaction before what it changes.
 */
import type { AccountId, ConversationId, EventId, StatusEvent, WorkspaceId } from '@switchyard/contract';
import { type Clock, crashPoint, createLoop, type Log, type Loop } from '#kernel';
import type { KnownProviderId, ReceiptOutcome } from '#outbox';
import type { Storage, WorkspaceTx } from '#storage';
import { markDue } from './normalise/normalise-store.ts';
import {
  expireParked,
  findPassed,
  findWorkspacesWithParked,
  lockParked,
  maxLockedParked,
  type ParkedCursor,
  type ParkedEvent,
  setState,
  type WorkspaceWithParked,
} from './parked-store.ts';

export const parkedLimits = {
  sweepMs: 2_000,
  /** Far longer than the transactions take that can pass each other: who came before waits for the message, which releases them. */
  lookBackMs: 5 * 60_000,
  /** At a start and then so often all are looked at: nobody swept for a while, or what swept failed. */
  wholeEveryMs: 60 * 60_000,
  /** After one that did not get through; doubles with each, up to `wholeEveryMs`: it reads far more than the others. */
  wholeAgainMs: 60_000,
  keepDays: 8,
  /** Of one workspace, those that end. */
  perSweep: 500,
  /** In one transaction. */
  lookedAtOnce: 2_000,
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
  readonly clock: Clock;
  readonly log: Log;
}

/** Finds those that passed their message on the way, and ends those that nobody came for. */
export function createParkedSweep(deps: ParkedSweepDeps): Loop {
  const stopping = new AbortController();
  const sweepAsDue = wholeNowAndThen(deps.clock, (lookBackMs) => sweep(deps, lookBackMs, stopping.signal));
  const loop = createLoop({
    name: 'parked',
    idleMs: parkedLimits.sweepMs,
    afterErrorMs: parkedLimits.sweepMs,
    log: deps.log,
    step: async () => {
      await sweepAsDue();
      return false;
    },
  });
  return {
    ...{ start: () => loop.start(), nudge: () => loop.nudge() },
    /** The transaction under way is finished. */
    stop() {
      stopping.abort();
      return loop.stop();
    },
  };
}

/**
 * `run` is given how far it looks back, in milliseconds: the first and one an hour over all that is parked. It tells whether
 * it got through; a whole one that did not, or threw, comes again far sooner.
 */
function wholeNowAndThen(clock: Clock, run: (lookBackMs: number) => Promise<boolean>): () => Promise<void> {
  const { lookBackMs, wholeEveryMs, wholeAgainMs, keepDays } = parkedLimits;
  let wholeAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  return async () => {
    if (clock.elapsedMs() < wholeAt) return void (await run(lookBackMs));
    let isThrough = false;
    try {
      isThrough = await run(keepDays * 86_400_000);
    } finally {
      const againMs = Math.min(wholeAgainMs * 2 ** failures, wholeEveryMs);
      wholeAt = clock.elapsedMs() + (isThrough ? wholeEveryMs : againMs);
      failures = isThrough ? 0 : failures + 1;
    }
  };
}

/** False: it was stopped, or a workspace could not be looked at. */
async function sweep(deps: ParkedSweepDeps, lookBackMs: number, stopping: AbortSignal): Promise<boolean> {
  let isThrough = true;
  for (const found of await findWorkspacesWithParked(deps.storage, { ...parkedLimits, lookBackMs })) {
    if (stopping.aborted) return false;
    crashPoint('parked.before-sweep');
    try {
      await sweepWorkspace(deps, found, { lookBackMs, stopping });
    } catch (error) {
      // What fails in one workspace, by its content or its size, holds up no other.
      isThrough = false;
      const facts = { workspaceId: found.workspaceId, error: String(error) };
      deps.log.error(facts, 'parked events of a workspace could not be looked at');
    }
  }
  return isThrough && !stopping.aborted;
}

interface SweepTerms {
  readonly lookBackMs: number;
  readonly stopping: AbortSignal;
}

/** Each half is by transactions of its own, so that what cannot be looked at ends all the same. */
async function sweepWorkspace(deps: ParkedSweepDeps, found: WorkspaceWithParked, terms: SweepTerms): Promise<void> {
  const { storage, log } = deps;
  const { workspaceId, hasFresh, isOverdue } = found;
  const { perSweep, keepDays } = parkedLimits;
  if (isOverdue) {
    const expired = await storage.inWorkspace(workspaceId, (tx) => expireParked(tx, keepDays, perSweep), 'by-key');
    if (expired > 0) log.warn({ workspaceId, expired }, 'parked events ended: their messages never came');
  }
  if (hasFresh) await releasePassed(deps, workspaceId, terms);
}

/** The latest first, so many in a transaction. */
async function releasePassed(
  { storage, applyReceipt }: ParkedSweepDeps,
  workspaceId: WorkspaceId,
  { lookBackMs, stopping }: SweepTerms,
): Promise<void> {
  const limits = { limit: parkedLimits.lookedAtOnce, maxLooks: parkedLimits.maxLooks, lookBackMs };
  let until: ParkedCursor | null = null;
  do {
    until = await storage.inWorkspace(
      workspaceId,
      async (tx): Promise<ParkedCursor | null> => {
        const { known, next } = await findPassed(tx, limits, until);
        await releaseParked(tx, applyReceipt, known);
        return next;
      },
      'by-key',
    );
  } while (until !== null && !stopping.aborted);
}
