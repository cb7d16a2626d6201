import type { Media, MediaType, Referral } from '@switchyard/contract';
import type { InboundContent } from '../inbound-content.ts';
import { present } from '../reading/index.ts';
import type { Parameters } from './parameters.ts';

/** Twilio takes ten files a message. */
const maxMediaFiles = 10;

/** What an inbound form says. Taps come before text, since they also carry their title as `Body`. */
export function contentOf(parameters: Parameters): InboundContent {
  const body = parameters.read('Body');
  return (
    formOf(parameters) ??
    tapOf(parameters, body) ??
    locationOf(parameters) ??
    mediaOf(parameters, body) ??
    (body !== undefined ? { type: 'text', text: body } : nothingIn(parameters))
  );
}

function formOf(parameters: Parameters): InboundContent | undefined {
  const answer = parameters.read('InteractiveData') ?? parameters.read('FlowData');
  if (answer === undefined) return undefined;
  return present({ type: 'flow_reply', name: 'flow', answer, text: parameters.read('Body') });
}

function tapOf(parameters: Parameters, body: string | undefined): InboundContent | undefined {
  const listId = parameters.read('ListId');
  if (listId !== undefined) {
    const title = parameters.read('ListTitle') ?? body ?? listId;
    return present({ type: 'list_reply', id: listId, title, description: parameters.read('ListDescription') });
  }
  const text = parameters.read('ButtonText');
  const id = parameters.read('ButtonPayload') ?? text;
  if (id === undefined) return undefined;
  return { type: 'button_reply', id, title: text ?? body ?? id };
}

function locationOf(parameters: Parameters): InboundContent | undefined {
  const latitude = coordinate(parameters.read('Latitude'), 90);
  const longitude = coordinate(parameters.read('Longitude'), 180);
  if (latitude === undefined || longitude === undefined) return undefined;
  const name = parameters.read('Label');
  return present({ type: 'location', latitude, longitude, name, address: parameters.read('Address') });
}

function coordinate(text: string | undefined, limit: number): number | undefined {
  const degrees = text === undefined ? Number.NaN : Number(text);
  return Math.abs(degrees) <= limit ? degrees : undefined;
}

function mediaOf(parameters: Parameters, caption: string | undefined): InboundContent | undefined {
  const files: Media[] = [];
  for (let at = 0; at < maxMediaFiles; at++) {
    const url = parameters.read(`MediaUrl${at}`);
    if (url === undefined) continue;
    const mimeType = parameters.read(`MediaContentType${at}`);
    files.push(present({ id: /\/Media\/(ME\w+)/.exec(url)?.[1], url, mimeType }));
  }
  const media = files[0];
  if (!media) return undefined;
  const type = mediaTypeOf(parameters.read('MessageType'), media.mimeType);
  return present({ type, media, caption, more: files.length > 1 ? files : undefined });
}

/**
 * By `MessageType` where Twilio says it, else by content type, which may be missing too. WhatsApp sends stickers, and
 * only stickers, as WebP. A contact card comes as a vCard file and stays a document: its text is not in the webhook.
 */
function mediaTypeOf(messageType: string | undefined, mimeType: string | undefined): MediaType {
  const named = (['image', 'video', 'audio', 'document', 'sticker'] as const).find((type) => type === messageType);
  if (named) return named;
  if (mimeType?.startsWith('image/webp')) return 'sticker';
  return (['image', 'video', 'audio'] as const).find((type) => mimeType?.startsWith(`${type}/`)) ?? 'document';
}

function nothingIn(parameters: Parameters): InboundContent {
  return { type: 'unsupported', name: parameters.read('MessageType') ?? 'empty' };
}

/** A click-to-WhatsApp advertisement. `ReferralNumMedia=0` comes with plain messages and says nothing. */
export function referralOf(parameters: Parameters): Referral | undefined {
  const referral: Referral = present({
    sourceType: parameters.read('ReferralSourceType'),
    sourceId: parameters.read('ReferralSourceId'),
    sourceUrl: parameters.read('ReferralSourceUrl'),
    headline: parameters.read('ReferralHeadline'),
    body: parameters.read('ReferralBody'),
    clickId: parameters.read('ReferralCtwaClid'),
  });
  return Object.keys(referral).length > 0 ? referral : undefined;
}
