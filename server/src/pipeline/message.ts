import { freeEntryUntilOf, type NewMessage } from '#conversations';
import { defaultLanguage } from '#flows';
import { newId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { commit } from './commit.ts';
import type { TurnContext } from './context.ts';
import type { Workings } from './create-pipeline.ts';
import { occurredAtOf } from './occurred.ts';
import type { HandledTurns, TurnInput, TurnOutcome } from './pipeline.ts';

/**
 * Messages of customers, each in another conversation: saved, led through the middleware side by side, and what was
 * gathered is written for all.
 */
export async function handleMessages(
  workings: Workings,
  tx: WorkspaceTx,
  inputs: readonly TurnInput[],
): Promise<HandledTurns> {
  if (inputs.length === 0) return { outcomes: [], written: Promise.resolve() };
  const messages = inputs.map(receivedMessage);
  // The flow is asked for with the same round trip; whoever needs it finds it there.
  const [fresh] = await Promise.all([
    workings.conversations.saveMessages(tx, messages),
    workings.flows.loadActiveFlow(tx),
  ]);
  const decide = async (input: TurnInput, index: number) => {
    const isNew = fresh.has(messages[index]!.id);
    if (isNew) await takeInNumber(workings, tx, input);
    return workings.run(firstContext(tx, input, isNew));
  };
  const handled = await Promise.all(inputs.map(decide));
  const turns = handled.map((ctx, index) => ({ ctx, saved: fresh.has(messages[index]!.id) ? messages[index]! : null }));
  return { outcomes: handled.map(outcomeOf), written: commit(workings, tx, turns) };
}

function outcomeOf({ end, steps }: TurnContext): TurnOutcome {
  return { ...(end ?? { kind: 'silent', reason: 'unanswered' }), steps };
}

function receivedMessage({ conversation, stored, turnId }: TurnInput): NewMessage {
  const { event } = stored;
  const occurredAt = occurredAtOf(stored);
  const freeEntryUntil = stored.isTest ? undefined : freeEntryUntilOf(event.referral, occurredAt);
  return {
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
  };
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
