import type { InboundEvent } from '@switchyard/contract';
import { type Log, newId } from '#kernel';
import type { Doorbell, NoteChange, Tx, WorkspaceTx } from '#storage';
import { releaseHeld } from './gate/release-store.ts';
import type {
  MovedConversations,
  Outbox,
  ProviderIdsKnown,
  QueuedIds,
  QueuedMessage,
  QueueListener,
} from './outbox.ts';
import { insertQueued, laneOf } from './queue-store.ts';
import { findOutbound, leaveUncertain, lockProviderId, repeatUncertain } from './receipt-store.ts';
import { applyReceipt, matchEcho } from './receipts.ts';

export interface OutboxDeps {
  readonly doorbell: Doorbell;
  readonly providerIdsKnown: ProviderIdsKnown;
  readonly noteChange: NoteChange;
  readonly log: Log;
}

/** What is rung when something was queued that no dispatcher of this process takes up at once. */
export const outboxTopic = 'outbox';

export function createOutbox(deps: OutboxDeps): Outbox {
  const wake = createWake(deps);
  const { providerIdsKnown, noteChange } = deps;

  async function queueMessages(
    tx: WorkspaceTx,
    messages: readonly QueuedMessage[],
    conversations: MovedConversations = 'to-move',
  ): Promise<readonly QueuedIds[]> {
    if (messages.length === 0) return [];
    const ids = messages.map(() => ({ outboundId: newId('outbound'), messageId: newId('message') }));
    const leaving = messages.filter((message) => !message.isHeld);
    const listener = wake.listener();
    const laned = leaving.map((message) => ({ accountId: message.accountId, lane: laneOf(message) }));
    const leaseMs = listener?.leaseFor(tx.workspaceId, laned) ?? 0;
    const rows = messages.map((message, index) => ({ ...message, ...ids[index]!, leaseMs }));
    const claimed = await insertQueued(tx, rows, conversations);
    if (claimed.length > 0) tx.afterCommit(() => listener?.take(claimed));
    if (claimed.length < leaving.length) wake.afterCommitOf(tx);
    const changed = {
      messages: ids.map((one) => one.messageId),
      conversations: messages.map((one) => one.conversationId),
    };
    noteChange(tx, 'message', changed.messages);
    noteChange(tx, 'conversation', changed.conversations);
    return ids;
  }

  return {
    attach: (listener) => wake.attach(listener),
    lockProviderId,
    queueMessage: async (tx, message) => (await queueMessages(tx, [message]))[0]!,
    queueMessages,
    applyReceipt: (tx, accountId, eventId, event: Extract<InboundEvent, { kind: 'status' }>) =>
      applyReceipt(tx, event, { accountId, eventId, providerIdsKnown, noteChange }),
    matchEcho: (tx, accountId, conversationId, event) =>
      matchEcho(tx, event, { accountId, conversationId, providerIdsKnown, noteChange }),
    findOutbound,
    async settleUncertain(tx, outboundId, choice) {
      if (choice === 'leave') return leaveUncertain(tx, outboundId, 'person');
      const isMoved = await repeatUncertain(tx, outboundId);
      if (isMoved) wake.afterCommitOf(tx);
      return isMoved;
    },
    async releaseHeld(tx, accountId) {
      const released = await releaseHeld(tx, accountId);
      if (released.length === 0) return;
      wake.afterCommitOf(tx);
      noteChange(tx, 'message', released);
    },
    markRead(tx, mark) {
      tx.afterCommit(() => wake.listener()?.read({ ...mark, workspaceId: tx.workspaceId }));
    },
  };
}

/** Once a transaction, however many messages it queues: this process's dispatcher, or else everybody's. */
function createWake(deps: OutboxDeps) {
  const ringing = new WeakSet<Tx>();
  let attached: QueueListener | undefined;

  function ring(): void {
    if (attached?.queued()) return;
    deps.doorbell.ring(outboxTopic).catch((error: unknown) => {
      // Dispatchers look for themselves every second: this costs that second.
      deps.log.warn({ err: error }, 'the doorbell of the outbox could not be rung');
    });
  }

  return {
    attach(listener: QueueListener): void {
      attached = listener;
    },
    listener: () => attached,
    afterCommitOf(tx: Tx): void {
      if (ringing.has(tx)) return;
      ringing.add(tx);
      tx.afterCommit(ring);
    },
  };
}
