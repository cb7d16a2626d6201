/**
 * WhatsApp's own addresses, as Evolution, Baileys and whatsapp-web.js write them: `user[:device]@server`.
 * Source: the JID helpers of Baileys 6.17 and whatsapp-web.js 1.34; the Evolution server passes them on.
 */
import type { Identity } from '@switchyard/contract';

export type JidKind = 'phone' | 'lid' | 'group' | 'status' | 'newsletter' | 'broadcast' | 'unknown';

export interface Jid {
  readonly kind: JidKind;
  /** Without the device: `15551230000`, `76200000000001`. */
  readonly user: string;
  /** Without the device: `15551230000@s.whatsapp.net`. */
  readonly text: string;
}

const kindOfServer: Readonly<Record<string, JidKind>> = {
  's.whatsapp.net': 'phone',
  'c.us': 'phone',
  hosted: 'phone',
  lid: 'lid',
  'hosted.lid': 'lid',
  'g.us': 'group',
  newsletter: 'newsletter',
  broadcast: 'broadcast',
};

/** Undefined for an absent or empty one (`participant` is `""` at times). */
export function parseJid(text: string | undefined): Jid | undefined {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') return undefined;
  const at = trimmed.lastIndexOf('@');
  if (at === -1) return { kind: 'unknown', user: trimmed, text: trimmed };
  const server = trimmed.slice(at + 1).toLowerCase();
  // `15551230000:12@…` is device 12; older libraries put an agent before it: `15551230000_1:12@…`.
  const user = trimmed.slice(0, at).replace(/:\d+$/, '').replace(/_\d+$/, '');
  const known = Object.hasOwn(kindOfServer, server) ? kindOfServer[server] : undefined;
  const kind = user === 'status' && server === 'broadcast' ? 'status' : (known ?? 'unknown');
  return { kind, user, text: `${user}@${server}` };
}

/** Chats in which nobody talks to us. */
const silentChats: Partial<Record<JidKind, string>> = {
  status: 'a status update is not a conversation',
  newsletter: 'a channel is not a conversation',
  broadcast: 'a broadcast list is not a conversation',
};

/** Why a message in this chat is nobody's turn; undefined for people and groups. */
export function silenceOf(chat: Jid): string | undefined {
  return silentChats[chat.kind];
}

/**
 * Who these addresses are, best first: phone and wa_id before a LID, however they were ordered. A LID is never a phone,
 * although it looks like one; what stands where a number should and is none stays a wa_id. What names no person (groups, channels, status) gives nothing.
 */
export function identitiesOfJids(texts: readonly (string | undefined)[]): readonly Identity[] {
  const jids = texts.map(parseJid).filter((jid) => jid !== undefined);
  const users = jids.filter(({ kind }) => kind === 'phone').map(({ user }) => user);
  const identities = [
    ...users.filter(isNumber).map((user): Identity => ({ kind: 'phone', value: `+${user}` })),
    ...users.map((user): Identity => ({ kind: 'wa_id', value: user })),
    ...jids.filter(({ kind }) => kind === 'lid').map(({ user }): Identity => ({ kind: 'lid', value: `${user}@lid` })),
  ];
  return identities.filter(
    (one, at) => identities.findIndex((other) => other.kind === one.kind && other.value === one.value) === at,
  );
}

function isNumber(user: string): boolean {
  return /^\d{3,20}$/.test(user);
}
