/**
 * Is this echo the message that we have in flight? Where a provider carries nothing of ours back (Evolution's send takes
 * no id, Instagram's echo no metadata), an echo that comes before the answer is known by what it holds.
 */
import type { MessageContent, OutboundContent } from '@switchyard/contract';
import { summarise } from '@switchyard/contract';

/** How long after the request an echo may still be taken for it by its content. */
export const echoWindowMs = 120_000;

export function isEchoOf(sent: OutboundContent, echoed: MessageContent): boolean {
  if (sent.type === 'reaction') {
    return echoed.type === 'reaction' && sent.targetId === echoed.targetId && sent.emoji === echoed.emoji;
  }
  if (echoed.type === 'reaction') return false;
  if (isMedia(sent.type)) return sent.type === echoed.type && captionOf(sent) === captionOf(echoed);
  // Buttons, lists and templates come back as the text that they became; only equal text is taken for ours.
  return visibleText(sent) === visibleText(echoed);
}

function isMedia(type: MessageContent['type']): boolean {
  return type === 'image' || type === 'video' || type === 'audio' || type === 'document' || type === 'sticker';
}

function captionOf(content: MessageContent): string {
  return 'caption' in content ? (content.caption ?? '').trim() : '';
}

function visibleText(content: MessageContent): string {
  return summarise(content).replaceAll('\r\n', '\n').trim();
}
