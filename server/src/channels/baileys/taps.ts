/** Answers to menus, in each of the shapes that WhatsApp has given them over the years. */
import type { InboundContent } from '../inbound-content.ts';
import { idAt, isObject, type JsonValue, parseJsonText, present, textAt } from '../reading/index.ts';

export function buttonReply(body: JsonValue): InboundContent | undefined {
  const id = idAt(body, 'selectedButtonId') ?? idAt(body, 'selectedId');
  const title = textAt(body, 'selectedDisplayText');
  if (id === undefined && !title) return undefined;
  return { type: 'button_reply', id: id ?? title ?? '', title: title || (id ?? '') };
}

export function listReply(body: JsonValue): InboundContent | undefined {
  const id = idAt(body, 'singleSelectReply', 'selectedRowId');
  if (id === undefined) return undefined;
  const description = textAt(body, 'description') || undefined;
  return present({ type: 'list_reply', id, title: textAt(body, 'title') || id, description });
}

/**
 * A native flow: quick replies and lists answer with `{"id":…}` in `paramsJson`; anything else is a filled-in form.
 */
export function interactiveReply(body: JsonValue): InboundContent | undefined {
  const answer = textAt(body, 'nativeFlowResponseMessage', 'paramsJson');
  if (answer === undefined) return undefined;
  const name = textAt(body, 'nativeFlowResponseMessage', 'name') ?? 'flow';
  const text = textAt(body, 'body', 'text') || undefined;
  const parsed = parseJsonText(answer);
  const id = parsed.ok && isObject(parsed.value) ? idAt(parsed.value, 'id') : undefined;
  if (id === undefined) return present({ type: 'flow_reply', name, answer, text });
  const title = text ?? id;
  return name === 'single_select' ? { type: 'list_reply', id, title } : { type: 'button_reply', id, title };
}
