import type { ConversationChange } from '#conversations';
import type { TurnContext } from './context.ts';
import type { Workings } from './create-pipeline.ts';

/** Writes what the middleware gathered, in the turn's transaction. Nothing of it leaves before that commits. */
export async function commit(workings: Workings, ctx: TurnContext): Promise<void> {
  const { tx, input } = ctx;
  for (const consent of input.stored.isTest ? [] : ctx.consents)
    await workings.conversations.recordConsent(tx, consent);
  for (const content of ctx.replies)
    await workings.outbox.queueMessage(tx, {
      conversationId: input.conversation.id,
      accountId: input.stored.accountId,
      content,
      author: 'bot',
      turnId: input.turnId,
      lane: 'reply',
      isHeld: isHeld(ctx),
    });
  const change = changeOf(ctx);
  if (change !== null) await workings.conversations.changeConversation(tx, input.conversation.id, change);
}

/** Tests, and the shadow of a legacy system that answers itself: everything happens but the sending. */
function isHeld({ input }: TurnContext): boolean {
  return input.stored.isTest || input.account.cutover === 'shadow';
}

function changeOf(ctx: TurnContext): ConversationChange | null {
  const isMoved = ctx.session !== ctx.input.conversation.session;
  const change = isMoved ? { ...ctx.change, session: ctx.session } : ctx.change;
  return Object.keys(change).length === 0 ? null : change;
}
