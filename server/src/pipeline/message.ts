import { freeEntryUntilOf } from '#conversations';
import { defaultLanguage } from '#flows';
import { newId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { commit } from './commit.ts';
import type { TurnContext } from './context.ts';
import type { Workings } from './create-pipeline.ts';
import { occurredAtOf } from './occurred.ts';
import type { TurnInput, TurnOutcome } from './pipeline.ts';

/** A message of the customer: saved, led through the middleware, and what they gathered is written. */
export async function handleMessage(workings: Workings, tx: WorkspaceTx, input: TurnInput): Promise<TurnOutcome> {
  const isNew = await saveReceived(workings, tx, input);
  if (isNew) await takeInNumber(workings, tx, input);
  const ctx = await workings.run(firstContext(tx, input, isNew));
  await commit(workings, ctx);
  return { ...(ctx.end ?? { kind: 'silent', reason: 'unanswered' }), steps: ctx.steps };
}

function saveReceived({ conversations }: Workings, tx: WorkspaceTx, input: TurnInput): Promise<boolean> {
  const { conversation, stored, turnId } = input;
  const { event } = stored;
  const occurredAt = occurredAtOf(stored);
  const freeEntryUntil = stored.isTest ? undefined : freeEntryUntilOf(event.referral, occurredAt);
  return conversations.insertMessage(tx, {
    id: newId('message'),
    conversationId: conversation.id,
    accountId: stored.accountId,
    direction: 'in',
    author: 'customer',
    ...(event.groupId === undefined ? { authorId: conversation.contactId } : {}),
    content: event.content,
    providerMessageId: event.providerMessageId,
    ...(event.replyTo === undefined ? {} : { replyTo: event.replyTo }),
    status: 'received',
    isHistory: event.isHistory ?? false,
    isTest: stored.isTest,
    eventId: stored.eventId,
    turnId,
    occurredAt,
    ...(freeEntryUntil === undefined ? {} : { freeEntryUntil }),
  });
}

async function takeInNumber(workings: Workings, tx: WorkspaceTx, { conversation, stored }: TurnInput): Promise<void> {
  const { content } = stored.event;
  const hasMoved = content.type === 'system' && content.name === 'user_changed_number' && !stored.isTest;
  if (hasMoved && content.newAddress !== undefined)
    await workings.conversations.changeAddress(tx, conversation, content.newAddress);
}

function firstContext(tx: WorkspaceTx, input: TurnInput, isNew: boolean): TurnContext {
  return {
    tx,
    input,
    isNew,
    language: defaultLanguage,
    session: input.conversation.session,
    replies: [],
    consents: [],
    change: {},
    steps: [],
    end: null,
  };
}
