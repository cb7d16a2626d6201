import type { MessageContent } from '@switchyard/contract';
import type { Applied, MessageAct } from '#conversations';
import type { WorkspaceTx } from '#storage';
import type { Workings } from './create-pipeline.ts';
import { occurredAtOf } from './occurred.ts';
import type { TurnInput, TurnOutcome } from './pipeline.ts';

export type ActContent = Extract<MessageContent, { type: 'edit' | 'delete' | 'reaction' }>;

export function isAct(content: MessageContent): content is ActContent {
  return content.type === 'edit' || content.type === 'delete' || content.type === 'reaction';
}

/**
 * Touches the message that it names; waits where that one is not here yet. Never answered. A reaction of ours that comes
 * back settles its send as well.
 */
export async function applyAct(
  workings: Workings,
  tx: WorkspaceTx,
  { input, content }: { readonly input: TurnInput; readonly content: ActContent },
): Promise<TurnOutcome> {
  const { conversation, stored } = input;
  if (content.type === 'reaction' && stored.event.direction === 'out')
    await workings.outbox.matchEcho(tx, stored.accountId, conversation.id, stored.event);
  const applied = await applyOrLookAgain(workings, tx, actOf(input, content), content);
  const step = { name: content.type, verdict: 'stopped', detail: applied.kind } as const;
  return applied.kind === 'missing'
    ? { kind: 'waiting', waitKey: content.targetId, steps: [step] }
    : { kind: 'silent', reason: `${content.type}-${applied.kind}`, steps: [step] };
}

/** A dispatcher may just be learning the provider's id of what we sent: under its lock, not there is not there. */
async function applyOrLookAgain(
  workings: Workings,
  tx: WorkspaceTx,
  act: MessageAct,
  content: ActContent,
): Promise<Applied> {
  const applied = await apply(workings, tx, act, content);
  if (applied.kind !== 'missing') return applied;
  await workings.outbox.lockProviderId(tx, act.accountId, act.targetId);
  return apply(workings, tx, act, content);
}

function apply(workings: Workings, tx: WorkspaceTx, act: MessageAct, content: ActContent): Promise<Applied> {
  const { conversations } = workings;
  switch (content.type) {
    case 'edit':
      return conversations.applyEdit(tx, act, content.content);
    case 'delete':
      return conversations.applyDelete(tx, act);
    case 'reaction':
      return conversations.applyReaction(tx, act, content.emoji);
    default: {
      const never: never = content;
      return never;
    }
  }
}

function actOf({ conversation, stored }: TurnInput, content: ActContent): MessageAct {
  const { customer, groupId } = stored.event;
  const isNameless = customer.length === 0 && groupId === undefined;
  return {
    accountId: stored.accountId,
    conversationId: isNameless ? null : conversation.id,
    targetId: content.targetId,
    by: stored.event.direction === 'out' ? 'device' : 'customer',
    at: occurredAtOf(stored),
  };
}
