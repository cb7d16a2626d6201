/**
 * Down to what a WhatsApp message says. A message is an object of which one member is the content and the others are
 * dressing; the content may stand inside wrappers. Source: `normalizeMessageContent` of Baileys 6.17.
 */
import { isObject, type JsonObject, type JsonValue, objectAt, textAt } from '../reading/index.ts';

export interface Unwrapped {
  /** Name of the member: `conversation`, `imageMessage`. */
  readonly name: string;
  readonly body: JsonValue;
}

/** Members that are never the content. Evolution puts `base64`, `mediaUrl` and `speechToText` beside it. */
const dressing = new Set([
  'messageContextInfo',
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
  'contextInfo',
  'base64',
  'mediaUrl',
  'speechToText',
]);

const wrappers = new Set([
  'ephemeralMessage',
  'viewOnceMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
  'documentWithCaptionMessage',
  'deviceSentMessage',
  'groupMentionedMessage',
  'lottieStickerMessage',
  'associatedChildMessage',
  'botInvokeMessage',
]);

/** Real messages stand in two at most. */
const maxWrappers = 8;

/** `namedType` is the sender's own word for it (Evolution's `messageType`), believed where such a member is there. */
export function unwrap(message: JsonObject | undefined, namedType?: string): Unwrapped | undefined {
  let current = message;
  for (let depth = 0; current && depth <= maxWrappers; depth++) {
    const name = contentName(current, depth === 0 ? namedType : undefined);
    if (name === undefined) return undefined;
    const body = current[name] ?? null;
    if (!wrappers.has(name)) return { name, body };
    current = objectAt(body, 'message');
  }
  return undefined;
}

function contentName(message: JsonObject, namedType: string | undefined): string | undefined {
  if (namedType && !dressing.has(namedType) && isThere(message, namedType)) return namedType;
  return Object.keys(message).find((name) => !dressing.has(name) && isThere(message, name));
}

function isThere(message: JsonObject, name: string): boolean {
  return Object.hasOwn(message, name) && message[name] !== null;
}

/** What Evolution adds to a message's media: its own copy of the file, readable where WhatsApp's is encrypted. */
export interface MediaExtras {
  readonly base64?: string;
  readonly mediaUrl?: string;
}

export function mediaExtrasOf(message: JsonObject | undefined): MediaExtras {
  if (!isObject(message)) return {};
  const base64 = textAt(message, 'base64');
  const mediaUrl = textAt(message, 'mediaUrl');
  return { ...(base64 ? { base64 } : {}), ...(mediaUrl ? { mediaUrl } : {}) };
}
