/** The rooms' doors, each saying in its transaction what browsers should look at again. */
import type { ConversationsDoor } from '#conversations';
import type { Outbox } from '#outbox';
import type { Pipeline } from '#pipeline';
import type { LiveRings } from './live-rings.ts';

export function outboxTelling(outbox: Outbox, live: LiveRings): Outbox {
  return {
    ...outbox,
    async queueMessage(tx, message) {
      const ids = await outbox.queueMessage(tx, message);
      live.changed(tx, 'message', ids.messageId);
      return ids;
    },
    async applyReceipt(tx, accountId, eventId, event) {
      const outcome = await outbox.applyReceipt(tx, accountId, eventId, event);
      if (outcome.kind === 'applied') live.changed(tx, 'message', outcome.messageId);
      return outcome;
    },
  };
}

export function conversationsTelling(conversations: ConversationsDoor, live: LiveRings): ConversationsDoor {
  return {
    ...conversations,
    async changeConversation(tx, id, change) {
      await conversations.changeConversation(tx, id, change);
      live.changed(tx, 'conversation', id);
    },
    async markRead(tx, id) {
      const read = await conversations.markRead(tx, id);
      live.changed(tx, 'conversation', id);
      return read;
    },
  };
}

export function pipelineTelling(pipeline: Pipeline, live: LiveRings): Pipeline {
  return {
    async handleTurn(tx, input) {
      const outcome = await pipeline.handleTurn(tx, input);
      live.changed(tx, 'conversation', input.conversation.id);
      live.changed(tx, 'delivery', input.stored.deliveryId);
      return outcome;
    },
  };
}
