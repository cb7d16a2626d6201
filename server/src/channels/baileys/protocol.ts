import type { InboundContent } from '../inbound-content.ts';
import { idAt, type JsonObject, type JsonValue, objectAt, present, textAt, valueAt } from '../reading/index.ts';
import type { MediaSource } from './media.ts';

/** Reads the message inside this one; handed in, since that reader calls this one. */
export type ReadInner = (message: JsonObject | undefined, messageId: string) => InboundContent | null;

const revokeTypes: readonly (JsonValue | undefined)[] = [0, '0', 'REVOKE', undefined];
const editTypes: readonly (JsonValue | undefined)[] = [14, '14', 'MESSAGE_EDIT'];

/**
 * A message about another message: type 0 takes it back, 14 rewrites it; the rest are notices of the protocol
 * (disappearing messages, key exchange). Protobuf leaves out a zero, so a type that is absent is 0.
 */
export function protocolContent(
  body: JsonValue,
  source: MediaSource,
  readInner: ReadInner,
): InboundContent | undefined {
  const type = valueAt(body, 'type');
  const targetId = idAt(body, 'key', 'id');
  if (editTypes.includes(type)) {
    const edited = readInner(objectAt(body, 'editedMessage'), targetId ?? source.messageId);
    return { type: 'edit', targetId: targetId ?? source.messageId, content: edited };
  }
  if (revokeTypes.includes(type) && targetId !== undefined) return { type: 'delete', targetId };
  return present({ type: 'system', name: `protocol ${idAt(type) ?? 'unknown'}`, text: textAt(body, 'text') });
}

/**
 * `editedMessage` wraps either the protocol message above or, in older captures, the new content by itself; then only
 * the message's own id says what was edited.
 */
export function wrappedEdit(body: JsonValue, source: MediaSource, readInner: ReadInner): InboundContent | undefined {
  const inner = objectAt(body, 'message') ?? objectAt(body);
  if (!inner) return undefined;
  const content = readInner(inner, source.messageId);
  if (content?.type === 'edit' || content?.type === 'delete') return content;
  return { type: 'edit', targetId: source.messageId, content };
}
