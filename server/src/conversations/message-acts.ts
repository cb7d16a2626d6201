/** Edits, deletes and reactions: find the message that is meant, ask the rule, write. */
import type { MessageContent } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { Applied, MessageAct } from './conversations.ts';
import { mayChange, mayEdit, mayReact } from './message-rules.ts';
import { eraseContent, findTarget, writeEdit, writeReaction } from './message-store.ts';

/** What is left of a deleted message. */
const erased: MessageContent = { type: 'unsupported', name: 'deleted' };

export async function applyEdit(tx: WorkspaceTx, act: MessageAct, content: MessageContent | null): Promise<Applied> {
  const target = await findTarget(tx, act);
  if (target === undefined) return { kind: 'missing' };
  const allowed = mayEdit(act, target);
  if (allowed !== 'yes') return { kind: allowed, messageId: target.id };
  await writeEdit(tx, target.id, content, act.at);
  return { kind: 'applied', messageId: target.id };
}

export async function applyDelete(tx: WorkspaceTx, act: MessageAct): Promise<Applied> {
  const target = await findTarget(tx, act);
  if (target === undefined) return { kind: 'missing' };
  const allowed = mayChange(act, target);
  if (allowed !== 'yes') return { kind: allowed, messageId: target.id };
  await eraseContent(tx, target.id, erased, act.at);
  return { kind: 'applied', messageId: target.id };
}

export async function applyReaction(tx: WorkspaceTx, act: MessageAct, emoji: string | null): Promise<Applied> {
  const target = await findTarget(tx, act);
  if (target === undefined) return { kind: 'missing' };
  const allowed = mayReact(target);
  if (allowed !== 'yes') return { kind: allowed, messageId: target.id };
  const isLatest = await writeReaction(tx, target.id, { by: act.by, emoji, at: act.at });
  return { kind: isLatest ? 'applied' : 'late', messageId: target.id };
}
