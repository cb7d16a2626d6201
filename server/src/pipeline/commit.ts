import type { ChangedConversation, NewConsent } from '#conversations';
import type { QueuedMessage } from '#outbox';
import type { WorkspaceTx } from '#storage';
import type { TurnContext } from './context.ts';
import type { Workings } from './create-pipeline.ts';

/**
 * Writes what the middleware gathered, in the turns' transaction and in one round trip. Nothing of it leaves before that
 * commits.
 */
export function commit(workings: Workings, tx: WorkspaceTx, turns: readonly TurnContext[]): Promise<unknown> {
  const { conversations, outbox } = workings;
  return Promise.all([
    ...turns.flatMap(consentsOf).map((consent) => conversations.recordConsent(tx, consent)),
    outbox.queueMessages(tx, turns.flatMap(repliesOf)),
    conversations.changeConversations(tx, turns.flatMap(changesOf)),
  ]);
}

function consentsOf({ input, consents }: TurnContext): readonly NewConsent[] {
  return input.stored.isTest ? [] : consents;
}

function repliesOf(ctx: TurnContext): readonly QueuedMessage[] {
  const { conversation, stored, turnId } = ctx.input;
  return ctx.replies.map((content) => ({
    conversationId: conversation.id,
    accountId: stored.accountId,
    content,
    author: 'bot',
    turnId,
    lane: 'reply',
    isHeld: isHeld(ctx),
  }));
}

/** Tests, and the shadow of a legacy system that answers itself: everything happens but the sending. */
function isHeld({ input }: TurnContext): boolean {
  return input.stored.isTest || input.account.cutover === 'shadow';
}

function changesOf(ctx: TurnContext): readonly ChangedConversation[] {
  const { conversation } = ctx.input;
  const isMoved = ctx.session !== conversation.session;
  const change = isMoved ? { ...ctx.change, session: ctx.session } : ctx.change;
  return Object.keys(change).length === 0 ? [] : [{ id: conversation.id, change }];
}
