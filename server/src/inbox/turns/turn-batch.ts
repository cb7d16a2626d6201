/**
 * One turn of each of several conversations of one workspace, in one transaction: it begins by locking them under their
 * epochs and ends with their events settled and the conversations given back. Killed at any instant, all of it happened or
 * none of it did.
 */
import type { AccountId, ConversationId, WorkspaceId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Capabilities } from '#channels';
import type { Conversation } from '#conversations';
import { crashPoint, newId } from '#kernel';
import type { ProviderIdsKnown } from '#outbox';
import type { Pipeline, TurnInput, TurnOutcome } from '#pipeline';
import type { NoteChange, WorkspaceTx } from '#storage';
import { withinTransaction } from './time-limit.ts';
import { bury, type TurnKeeping } from './turn-failures.ts';
import type { TurnLimits } from './turn-limits.ts';
import {
  type ConversationLease,
  endTurns,
  type LockedConversation,
  type PendingEvent,
  releaseConversation,
  startTurns,
  type TurnEnd,
} from './turn-store.ts';

export interface TurnDeps extends Omit<TurnKeeping, 'limits' | 'stopping' | 'wake'> {
  readonly pipeline: Pipeline;
  readonly findServing: (workspaceId: WorkspaceId, accountId: AccountId) => Promise<ServingAccount | null>;
  readonly loadConversations: (
    tx: WorkspaceTx,
    ids: readonly ConversationId[],
  ) => Promise<ReadonlyMap<ConversationId, Conversation>>;
  readonly capabilitiesOf: (account: ServingAccount) => Capabilities;
  /** Events that waited for these messages can go on. */
  readonly releaseParked: ProviderIdsKnown;
  readonly noteChange: NoteChange;
  readonly turnLimits?: Partial<TurnLimits>;
}

/** The parts with everything filled in. */
export type TurnWorkings = TurnDeps & TurnKeeping;

/**
 * Gives the leases of which no turn was taken because each wants a transaction of its own: locked by somebody else just
 * now, lost, or an event that locks more than its conversation. Of a single one nothing is left over. `begun` is told
 * which events are being handled.
 */
export async function takeTurns(
  workings: TurnWorkings,
  leases: readonly ConversationLease[],
  begun: (events: readonly PendingEvent[]) => void = () => {},
): Promise<readonly ConversationLease[]> {
  const { storage, limits, leaseMs } = workings;
  const isAlone = leases.length === 1;
  const taken = await storage.inWorkspace(
    leases[0]!.workspaceId,
    async (tx) => {
      const ids = leases.map((lease) => lease.conversationId);
      const [locked, conversations] = await Promise.all([
        startTurns(tx, leases, leaseMs),
        workings.loadConversations(tx, ids),
      ]);
      if (locked.length === 0) return locked;
      crashPoint('turn.locked');
      const shared = isAlone ? locked : locked.filter(({ next }) => !next || mayShare(workings, next));
      begun(shared.flatMap(({ next }) => next ?? []));
      await withinTransaction(Math.min(limits.turnMs, leaseMs), { tx, clock: workings.clock }, (waited) =>
        handleLocked(workings, waited, { locked: shared, conversations }),
      );
      crashPoint('turn.before-commit');
      return shared;
    },
    'by-key',
  );
  crashPoint('turn.committed');
  if (isAlone) return [];
  const done = new Set(taken.map(({ lease }) => lease));
  return leases.filter((lease) => !done.has(lease));
}

function mayShare({ pipeline }: TurnWorkings, { event }: PendingEvent): boolean {
  return pipeline.mayShareTransaction(event);
}

interface Loaded {
  readonly locked: readonly LockedConversation[];
  /** As they are under the locks: asked for after them, in the same round trip. */
  readonly conversations: ReadonlyMap<ConversationId, Conversation>;
}

async function handleLocked(workings: TurnWorkings, tx: WorkspaceTx, loaded: Loaded): Promise<void> {
  const turns: OpenTurn[] = [];
  for (const { lease, next, now } of loaded.locked) {
    const account = next && (await workings.findServing(lease.workspaceId, next.accountId));
    if (next && account && !account.isDeleted) turns.push({ lease, next, now, account });
    else await passOver(workings, tx, { lease, next, now });
  }
  const inputs = inputsOf(workings, turns, loaded.conversations);
  const { outcomes, written } = await workings.pipeline.handleTurns(tx, inputs);
  crashPoint('turn.answered');
  const handled = turns.map((turn, index) => ({ ...turn, input: inputs[index]!, outcome: outcomes[index]! }));
  await Promise.all([written, conclude(workings, tx, handled)]);
}

interface OpenTurn {
  readonly lease: ConversationLease;
  readonly next: PendingEvent;
  readonly now: Date;
  readonly account: ServingAccount;
}

interface HandledTurn extends OpenTurn {
  readonly input: TurnInput;
  readonly outcome: TurnOutcome;
}

/** Nothing is pending, or the account that it came by is gone. */
async function passOver(workings: TurnWorkings, tx: WorkspaceTx, { lease, next }: LockedConversation): Promise<void> {
  if (next) {
    await bury(tx, next, { reason: 'account-removed', detail: 'the account was removed before the turn' });
    tx.afterCommit(workings.wake);
  }
  await releaseConversation(tx, lease, 0);
}

function inputsOf(
  workings: TurnWorkings,
  turns: readonly OpenTurn[],
  conversations: Loaded['conversations'],
): readonly TurnInput[] {
  return turns.map(({ lease, next, now, account }) => {
    const conversation = conversations.get(lease.conversationId);
    if (!conversation) throw new Error('broken promise: a conversation that is locked can be loaded');
    const capabilities = workings.capabilitiesOf(account);
    return { turnId: newId('turn'), stored: next, conversation, account, capabilities, now };
  });
}

async function conclude(workings: TurnWorkings, tx: WorkspaceTx, handled: readonly HandledTurn[]): Promise<void> {
  const afterwards = await endTurns(tx, handled.map(endOf));
  const after = new Map(afterwards.map((one) => [one.eventId, one]));
  noteChanges(workings, tx, handled);
  const awaited = handled.filter(
    ({ next, outcome }) => outcome.kind !== 'waiting' && after.get(next.eventId)?.hasWaiting,
  );
  await workings.releaseParked(
    tx,
    awaited.map(({ next }) => ({ accountId: next.accountId, providerMessageId: next.event.providerMessageId })),
  );
  if (afterwards.some(({ hasMore, hasWaiting }) => hasMore || hasWaiting)) tx.afterCommit(workings.wake);
}

function endOf({ lease, next, input, outcome }: HandledTurn): TurnEnd {
  const turn = { lease, event: next };
  if (outcome.kind === 'waiting')
    return { ...turn, state: 'parked', reason: 'waits for its message', waitKey: outcome.waitKey, turnId: null };
  return { ...turn, state: 'handled', reason: outcome.reason, waitKey: null, turnId: input.turnId };
}

function noteChanges({ noteChange }: TurnWorkings, tx: WorkspaceTx, handled: readonly HandledTurn[]): void {
  noteChange(
    tx,
    'conversation',
    handled.map(({ lease }) => lease.conversationId),
  );
  noteChange(
    tx,
    'delivery',
    handled.map(({ next }) => next.deliveryId),
  );
}
