/**
 * Is this echo the message that we have in flight? Where a provider carries nothing of ours back (Evolution's send takes
 * no id, Instagram's echo no metadata), an echo that comes before the answer is known by what it holds.
 */
import type { MessageContent, OutboundContent } from '@switchyard/contract';
import { summarise } from '@switchyard/contract';
import { type ChoiceContent, numberedText } from '#channels';

/** How long after the request an echo may still be taken for it by its content. */
export const echoWindowMs = 120_000;

export function isEchoOf(sent: OutboundContent, echoed: MessageContent): boolean {
  if (sent.type === 'reaction') {
    return echoed.type === 'reaction' && sent.targetId === echoed.targetId && sent.emoji === echoed.emoji;
  }
  if (echoed.type === 'reaction') return false;
  if (sent.type === 'location' && echoed.type === 'location') return isSamePlace(sent, echoed);
  if (isMedia(sent.type)) return sent.type === echoed.type && captionOf(sent) === captionOf(echoed);
  if (sent.type === 'buttons' || sent.type === 'list') return menuForms(sent).includes(flattened(visibleText(echoed)));
  // Templates come back as the text that they became; only equal text is taken for ours.
  return visibleText(sent) === visibleText(echoed);
}

/**
 * A menu is dressed on its way: Evolution makes `*title*`, an empty line and the description of its text; other accounts
 * of it, and providers without menus, get it as numbered text. So stars and white space do not count.
 */
function menuForms(sent: ChoiceContent): readonly string[] {
  return [sent.text, numberedText(sent)].map(flattened);
}

function flattened(text: string): string {
  return text.replaceAll('*', '').replaceAll(/\s+/g, ' ').trim();
}

type Place = Extract<MessageContent, { type: 'location' }>;

/** By where it is: a name that is missing comes back as the address. Providers keep fewer digits than they were given. */
function isSamePlace(sent: Place, echoed: Place): boolean {
  const isNear = (one: number, other: number) => Math.abs(one - other) < maxDegreesApart;
  return isNear(sent.latitude, echoed.latitude) && isNear(sent.longitude, echoed.longitude);
}

/** A few metres. */
const maxDegreesApart = 0.000_05;

function isMedia(type: MessageContent['type']): boolean {
  return type === 'image' || type === 'video' || type === 'audio' || type === 'document' || type === 'sticker';
}

function captionOf(content: MessageContent): string {
  return 'caption' in content ? (content.caption ?? '').trim() : '';
}

function visibleText(content: MessageContent): string {
  return summarise(content).replaceAll('\r\n', '\n').trim();
}
