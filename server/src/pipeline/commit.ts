import { summarise } from '@switchyard/contract';
import type { ChangedConversation, NewConsent, NewMessage } from '#conversations';
import type { QueuedMessage } from '#outbox';
import type { WorkspaceTx } from '#storage';
import type { TurnContext } from './context.ts';
import type { Workings } from './create-pipeline.ts';

/** A turn that the middleware is through with, and its message where that was new. */
export interface DecidedTurn {
  readonly ctx: TurnContext;
  readonly saved: NewMessage | null;
}

/**
 * Writes what the middleware gathered, in the turns' transaction and in one round trip; each conversation once. Nothing
 * of it leaves before that commits.
 */
export function commit(workings: Workings, tx: WorkspaceTx, turns: readonly DecidedTurn[]): Promise<unknown> {
  const { conversations, outbox } = workings;
  return Promise.all([
    ...turns.flatMap(({ ctx }) => consentsOf(ctx)).map((consent) => conversations.recordConsent(tx, consent)),
    conversations.changeConversations(tx, turns.flatMap(changesOf)),
    outbox.queueMessages(
      tx,
      turns.flatMap(({ ctx }) => repliesOf(ctx)),
      'moved',
    ),
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

function changesOf({ ctx, saved }: DecidedTurn): readonly ChangedConversation[] {
  const { conversation } = ctx.input;
  const last = ctx.replies.at(-1);
  const change = {
    ...ctx.change,
    ...(ctx.session === conversation.session ? {} : { session: ctx.session }),
    ...(saved ? { saved } : {}),
    ...(last ? { queued: { ordinals: ctx.replies.length, preview: isHeld(ctx) ? null : summarise(last) } } : {}),
  };
  return Object.keys(change).length === 0 ? [] : [{ id: conversation.id, change }];
}
