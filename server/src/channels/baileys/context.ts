import type { Referral } from '@switchyard/contract';
import { flagAt, type JsonObject, type JsonValue, numberAt, objectAt, present, textAt } from '../reading/index.ts';

export interface MessageContext {
  readonly replyTo?: string;
  readonly isForwarded?: true;
  readonly referral?: Referral;
}

/** Evolution v2 lifts `contextInfo` out of the content to the message; v1 and Baileys leave it inside. */
export function contextOf(body: JsonValue, lifted: JsonObject | undefined): MessageContext {
  const context = objectAt(body, 'contextInfo') ?? lifted;
  const isForwarded = flagAt(context, 'isForwarded') || (numberAt(context, 'forwardingScore') ?? 0) > 0;
  return present({
    replyTo: textAt(context, 'stanzaId') || undefined,
    isForwarded: isForwarded || undefined,
    referral: referralOf(objectAt(context, 'externalAdReply')),
  });
}

/** Only an advertisement names its source; a plain link preview of the same shape does not. */
function referralOf(ad: JsonObject | undefined): Referral | undefined {
  const sourceId = textAt(ad, 'sourceId') || undefined;
  const clickId = textAt(ad, 'ctwaClid') || undefined;
  const sourceType = textAt(ad, 'sourceType') || undefined;
  if (!sourceId && !clickId && sourceType !== 'ad') return undefined;
  return present({
    sourceType,
    sourceId,
    sourceUrl: textAt(ad, 'sourceUrl'),
    headline: textAt(ad, 'title'),
    body: textAt(ad, 'body'),
    clickId,
    ref: textAt(ad, 'ref'),
  });
}
