import type { InboundEvent, MessageEvent, Referral } from '@switchyard/contract';
import { fingerprint, flagAt, idAt, type JsonValue, objectAt, present, textAt, Unreadable } from '../reading/index.ts';
import { type InboundContent, readContent } from './content.ts';
import { keys } from './keys.ts';
import type { Exchanged } from './messaging.ts';

/** A message, an echo of ours, or the news that one was deleted. */
export function readDirectMessage(of: Exchanged, message: JsonValue): readonly InboundEvent[] {
  const mid = requiredId(message, 'mid');
  if (flagAt(message, 'is_deleted')) {
    return [messageEvent(of, { key: keys.deleted(mid), content: { type: 'delete', targetId: mid } })];
  }
  const replyTo = idAt(message, 'reply_to', 'mid');
  const referral = referralOf(objectAt(message, 'referral'));
  return [messageEvent(of, { key: keys.message(mid), content: readContent(message), replyTo, referral })];
}

export function readEdit(of: Exchanged, edit: JsonValue): readonly InboundEvent[] {
  const mid = requiredId(edit, 'mid');
  const text = textAt(edit, 'text');
  const content: InboundContent = {
    type: 'edit',
    targetId: mid,
    content: text === undefined ? null : { type: 'text', text },
  };
  return [messageEvent(of, { key: keys.edit(mid, idAt(edit, 'num_edit') ?? fingerprint(edit)), content })];
}

export function readReaction(of: Exchanged, reaction: JsonValue): readonly InboundEvent[] {
  const mid = requiredId(reaction, 'mid');
  const action = idAt(reaction, 'action') ?? 'react';
  const emoji = action === 'unreact' ? null : (idAt(reaction, 'emoji') ?? idAt(reaction, 'reaction') ?? null);
  const key = keys.reaction({ mid, senderId: of.senderId, action, timestamp: of.timestamp });
  return [messageEvent(of, { key, content: { type: 'reaction', targetId: mid, emoji } })];
}

/** A tapped ice-breaker or button; its `mid` may be missing. */
export function readPostback(of: Exchanged, postback: JsonValue): readonly InboundEvent[] {
  const payload = textAt(postback, 'payload') ?? '';
  const key = keys.postback({ mid: idAt(postback, 'mid'), timestamp: of.timestamp, payload });
  const title = textAt(postback, 'title') ?? payload;
  const referral = referralOf(objectAt(postback, 'referral'));
  return [messageEvent(of, { key, content: { type: 'button_reply', id: payload, title }, referral })];
}

/** Somebody came by an ig.me link or an advertisement, without writing yet. */
export function readReferral(of: Exchanged, referral: JsonValue): readonly InboundEvent[] {
  const key = keys.referral(of.senderId, of.timestamp);
  return [messageEvent(of, { key, content: { type: 'referral' }, referral: referralOf(referral) })];
}

interface Said {
  readonly key: string;
  readonly content: InboundContent;
  readonly replyTo?: string | undefined;
  readonly referral?: Referral | undefined;
}

/** What has no message id of its own (edit, deletion, reaction, …) wears its key as one, so that it never takes another's. */
function messageEvent(of: Exchanged, said: Said): MessageEvent {
  return present({
    kind: 'message',
    type: of.isOwn ? 'echo' : said.content.type,
    key: said.key,
    occurredAt: of.occurredAt,
    bindings: of.bindings,
    path: of.item.path,
    providerMessageId: said.key,
    direction: of.isOwn ? 'out' : 'in',
    customer: of.customer,
    content: said.content,
    replyTo: said.replyTo,
    referral: said.referral,
    isHistory: of.isHistory ? true : undefined,
  });
}

function requiredId(value: JsonValue, name: string): string {
  const id = idAt(value, name);
  if (id === undefined) throw new Unreadable(`a part without its ${name}`);
  return id;
}

function referralOf(referral: JsonValue | undefined): Referral | undefined {
  if (referral === undefined) return undefined;
  return present({
    sourceType: idAt(referral, 'source') ?? idAt(referral, 'type'),
    sourceId: idAt(referral, 'ad_id'),
    sourceUrl: idAt(referral, 'referer_uri') ?? idAt(referral, 'ads_context_data', 'photo_url'),
    headline: textAt(referral, 'ads_context_data', 'ad_title'),
    ref: idAt(referral, 'ref'),
  });
}
