/**
 * One item of `messaging[]` or `standby[]`: who, to whom, when, and what happened to the thread (Meta, "Instagram
 * platform: webhooks"; the same members come for a page).
 */
import type { Binding, Identity, InboundEvent } from '@switchyard/contract';
import type { Normalised } from '../channel.ts';
import { accountEvent, type Entry, unsupportedEvent } from '../graph/index.ts';
import {
  flagAt,
  idAt,
  instantOf,
  isObject,
  type JsonValue,
  memberOf,
  objectAt,
  type Part,
  Unreadable,
  valueAt,
} from '../reading/index.ts';
import { readDirectMessage, readEdit, readPostback, readReaction, readReferral } from './direct-messages.ts';
import { readDelivered, readSeen } from './receipts.ts';

/** What the members of one item have in common. */
export interface Exchanged {
  readonly entry: Entry;
  readonly item: Part;
  readonly bindings: readonly Binding[];
  /** The customer, whichever side of the item they stand on. */
  readonly customer: readonly Identity[];
  /** True for what we wrote ourselves. */
  readonly isOwn: boolean;
  readonly senderId: string;
  /** As it came, for keys. */
  readonly timestamp: string;
  readonly occurredAt: string | null;
  /** From a stand-by feed: another app has the thread. */
  readonly isHistory: boolean;
}

type ReadMember = (of: Exchanged, member: JsonValue) => readonly InboundEvent[];

const members: Readonly<Record<string, ReadMember>> = {
  message: readDirectMessage,
  message_edit: readEdit,
  reaction: readReaction,
  postback: readPostback,
  read: readSeen,
  delivery: readDelivered,
  referral: readReferral,
  optin: readOptIn,
  pass_thread_control: (of) => readHandover(of, 'pass_thread_control'),
  take_thread_control: (of) => readHandover(of, 'take_thread_control'),
  request_thread_control: (of) => readHandover(of, 'request_thread_control'),
  app_roles: (of) => readHandover(of, 'app_roles'),
};

export function readMessaging(item: Part, entry: Entry, isHistory: boolean): readonly InboundEvent[] | Normalised {
  if (!isObject(item.value)) throw new Unreadable('expected an object');
  const of = exchangedOf(item, entry, isHistory);
  const events = Object.entries(members).flatMap(([name, read]) => {
    const member = memberOf(item, name);
    return member ? read(of, member.value) : [];
  });
  return events.length > 0 ? events : [unknownItem(of)];
}

/** `entry.id` is the account's; the dashboard's test event has 0 there, which names nobody. */
export function instagramBindings(entry: Entry): readonly Binding[] {
  return entry.id === '' || entry.id === '0' ? [] : [{ kind: 'instagram_id', value: entry.id }];
}

function exchangedOf(item: Part, entry: Entry, isHistory: boolean): Exchanged {
  const senderId = idAt(item.value, 'sender', 'id');
  const recipientId = idAt(item.value, 'recipient', 'id');
  const isOwn = isOurs(item.value, senderId === entry.id);
  const customerId = isOwn && recipientId !== entry.id ? recipientId : senderId;
  if (senderId === undefined || customerId === undefined) throw new Unreadable('a message that names nobody');
  return {
    entry,
    item,
    bindings: instagramBindings(entry),
    customer: [{ kind: 'instagram', value: customerId }],
    isOwn,
    senderId,
    timestamp: idAt(item.value, 'timestamp') ?? '',
    occurredAt: instantOf(valueAt(item.value, 'timestamp')) ?? entry.sentAt,
    isHistory,
  };
}

/** A postback, a referral or a receipt is always the customer's, whatever ids an example prints. */
function isOurs(item: JsonValue, isSentByAccount: boolean): boolean {
  if (flagAt(item, 'message', 'is_echo')) return true;
  return isSentByAccount && ['message', 'message_edit', 'reaction'].some((name) => objectAt(item, name));
}

function unknownItem(of: Exchanged): InboundEvent {
  const names = isObject(of.item.value) ? Object.keys(of.item.value) : [];
  const name = names.find((one) => !['sender', 'recipient', 'timestamp'].includes(one)) ?? 'empty';
  const reason = 'nothing in this item is known';
  return unsupportedEvent({ entry: of.entry, name, part: of.item, bindings: of.bindings, reason });
}

/** A page's opt-in; Instagram has none. `notification_messages_status` takes one back. */
function readOptIn(of: Exchanged, optIn: JsonValue): readonly InboundEvent[] {
  const isStop = idAt(optIn, 'notification_messages_status') === 'STOP_NOTIFICATIONS';
  const topic = idAt(optIn, 'type') ?? 'optin';
  const opt = { customer: of.customer, topic, choice: isStop ? 'out' : 'in' } as const;
  const { entry, item, bindings } = of;
  return [accountEvent({ entry, name: 'optin', part: item, bindings, type: 'opt', opt })];
}

function readHandover(of: Exchanged, name: string): readonly InboundEvent[] {
  return [accountEvent({ entry: of.entry, name, part: of.item, bindings: of.bindings, type: 'handover' })];
}
