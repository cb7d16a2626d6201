import { newId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import type { Workings } from './create-pipeline.ts';
import { occurredAtOf } from './occurred.ts';
import type { TurnInput, TurnOutcome } from './pipeline.ts';

/**
 * Our own message coming back settles its send. Anything else was typed on the phone itself: it is kept, and whoever
 * typed has the conversation for a while, so that the bot does not talk over a colleague.
 */
export async function handleEcho(workings: Workings, tx: WorkspaceTx, input: TurnInput): Promise<TurnOutcome> {
  const { conversation, stored } = input;
  if (await workings.outbox.matchEcho(tx, stored.accountId, conversation.id, stored.event)) return silent('own-echo');
  if (!(await saveTyped(workings, tx, input))) return silent('echo-known');
  const until = new Date(occurredAtOf(stored).getTime() + workings.limits.deviceTakeoverMs);
  if (!doesTakeOver(input, until)) return silent('device-message');
  await workings.conversations.changeConversation(tx, conversation.id, { handler: 'person', handlerUntil: until });
  return silent('device-takeover');
}

function saveTyped({ conversations }: Workings, tx: WorkspaceTx, input: TurnInput): Promise<boolean> {
  const { conversation, stored, turnId } = input;
  const { event } = stored;
  return conversations.insertMessage(tx, {
    id: newId('message'),
    conversationId: conversation.id,
    accountId: stored.accountId,
    direction: 'out',
    author: 'device',
    content: event.content,
    providerMessageId: event.providerMessageId,
    ...(event.replyTo === undefined ? {} : { replyTo: event.replyTo }),
    status: 'sent',
    isHistory: event.isHistory ?? false,
    isTest: stored.isTest,
    eventId: stored.eventId,
    turnId,
    occurredAt: occurredAtOf(stored),
  });
}

/**
 * Not in history, not in a group, not when its time is over already. Where the legacy system still answers, the echo may
 * well be its own. Somebody who has the conversation for longer keeps it.
 */
function doesTakeOver({ account, conversation, now, stored }: TurnInput, until: Date): boolean {
  const isLive = !stored.event.isHistory && !stored.isTest && stored.event.groupId === undefined && now < until;
  const isServedHere = account.cutover === 'switchyard' || account.cutover === 'split';
  const { handler, handlerUntil } = conversation;
  const isHeldLonger = handler === 'person' && (handlerUntil === null || handlerUntil > until);
  return isLive && isServedHere && !isHeldLonger;
}

function silent(reason: string): TurnOutcome {
  return { kind: 'silent', reason, steps: [{ name: 'echo', verdict: 'stopped', detail: reason }] };
}
