/**
 * Turns in the very transaction that writes their events. A message that stands alone before a conversation where nothing is
 * pending and that nobody holds would be next there in any case: so it need not be stored as pending, found again, leased
 * and settled. What does not fit, or fails, goes the long way by lease (`turns.ts`), and only there are tries counted.
 *
 * The row locks are the lease: whoever else wants the conversation (a turn, another event that makes it due) waits for the
 * commit, and skips it meanwhile.
 */
import type { ConversationId, EventId, MessageEvent, TurnId } from '@switchyard/contract';
import { type StoredEvent, storableJson } from '#conversations';
import { crashPoint, newId } from '#kernel';
import type { TurnInput, TurnOutcome } from '#pipeline';
import type { WorkspaceTx } from '#storage';
import { within } from './time-limit.ts';
import type { TurnDeps } from './turn-batch.ts';
import { type TurnLimits, turnLimits } from './turn-limits.ts';
import { lockFree } from './turn-store.ts';

/** A message event that is new in this transaction. */
export interface FreshMessage {
  readonly conversationId: ConversationId;
  readonly stored: StoredEvent<MessageEvent>;
}

export interface TurnAtOnce {
  readonly turnId: TurnId;
  readonly reason: string;
}

export interface TurnsTaken {
  /** By event; those that are missing are to be stored as pending. */
  readonly turns: ReadonlyMap<EventId, TurnAtOnce>;
  readonly conversationIds: readonly ConversationId[];
  /** The statements are under way: to be awaited before the commit, at once, with whatever else goes out. */
  readonly written: Promise<unknown>;
}

/** Throws what a turn throws: then the transaction is to be done again without it. */
export type TakeAtOnce = (tx: WorkspaceTx, fresh: readonly FreshMessage[]) => Promise<TurnsTaken>;

export function createTurnsAtOnce(deps: TurnDeps): TakeAtOnce {
  const limits = { ...turnLimits, ...deps.turnLimits };
  return async (tx, fresh) => {
    const alone = standingAlone(deps, fresh).slice(0, limits.turnsAtOnce);
    if (alone.length === 0) return { turns: new Map(), conversationIds: [], written: Promise.resolve() };
    const ids = alone.map(({ conversationId }) => conversationId);
    const [free, conversations] = await Promise.all([lockFree(tx, ids), deps.loadConversations(tx, ids)]);
    crashPoint('turn.locked-at-once');
    const inputs: TurnInput[] = [];
    for (const { conversationId, stored } of alone) {
      const conversation = conversations.get(conversationId);
      const account = await deps.findServing(tx.workspaceId, stored.accountId);
      const now = free.get(conversationId);
      if (!now || !conversation || !account || account.isDeleted) continue;
      const capabilities = deps.capabilitiesOf(account);
      const input = { turnId: newId('turn'), conversation, account, capabilities, now };
      inputs.push({ ...input, stored: asItWillLie(stored) });
    }
    return handle(deps, limits, tx, inputs);
  };
}

/** Of several for one conversation the order is found among them all: the long way. */
function standingAlone({ pipeline }: TurnDeps, fresh: readonly FreshMessage[]): readonly FreshMessage[] {
  const counts = new Map<ConversationId, number>();
  for (const { conversationId } of fresh) counts.set(conversationId, (counts.get(conversationId) ?? 0) + 1);
  return fresh.filter(
    ({ conversationId, stored }) => counts.get(conversationId) === 1 && pipeline.mayShareTransaction(stored.event),
  );
}

async function handle(
  deps: TurnDeps,
  limits: TurnLimits,
  tx: WorkspaceTx,
  inputs: readonly TurnInput[],
): Promise<TurnsTaken> {
  const { outcomes, written } = await within(Math.min(limits.atOnceMs, deps.leaseMs), async () => {
    const handled = await deps.pipeline.handleTurns(tx, inputs);
    handled.written.catch(() => {
      // Whoever awaits it hears of it. After too long a time nobody does, and the transaction is gone.
    });
    return handled;
  });
  crashPoint('turn.answered-at-once');
  const turns = inputs.map(
    ({ stored, turnId }, index) => [stored.eventId, { turnId, reason: reasonOf(outcomes[index]!) }] as const,
  );
  return { turns: new Map(turns), conversationIds: inputs.map(({ conversation }) => conversation.id), written };
}

function reasonOf(outcome: TurnOutcome): string {
  // Only acts on other messages wait, and those do not share a transaction.
  if (outcome.kind === 'waiting')
    throw new Error('broken promise: a message that may share a transaction waits for none');
  return outcome.reason;
}

/** The same words as if it had been read from the database. */
function asItWillLie(stored: StoredEvent<MessageEvent>): StoredEvent<MessageEvent> {
  return { ...stored, event: JSON.parse(storableJson(stored.event)) as MessageEvent };
}
