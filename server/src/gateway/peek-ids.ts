import { gatewayLimits } from './limits.ts';
import { controls } from './paths.ts';

export interface PeekedId {
  readonly kind: 'phone_number_id' | 'waba_id' | 'instagram_id';
  readonly value: string;
}

const phoneNumberIdShape = /"phone_number_id"\s*:\s*"(\d{1,32})"/g;
const idShape = /"id"\s*:\s*"(\d{1,32})"/g;

/**
 * Ids of accounts that may stand in a Graph webhook, found by their letters, without reading the JSON: they only choose
 * whose app secret to try. Whatever they say, the signature decides, and later each event's own binding.
 */
export function peekGraphIds(body: Buffer, provider: 'meta' | 'instagram'): readonly PeekedId[] {
  const text = body.toString('latin1');
  if (provider === 'instagram') return found(text, idShape, 'instagram_id');
  return [...found(text, phoneNumberIdShape, 'phone_number_id'), ...found(text, idShape, 'waba_id')];
}

function found(text: string, shape: RegExp, kind: PeekedId['kind']): readonly PeekedId[] {
  const values = new Set<string>();
  for (const match of text.matchAll(shape)) {
    if (match[1] !== undefined) values.add(match[1]);
    if (values.size >= gatewayLimits.maxPeekedIds) break;
  }
  return [...values].map((value) => ({ kind, value }));
}

/** Twilio's parties that may be ours: our number is the one an account has. Of a repeated name the first. */
export function peekTwilioParties(target: string, body: Buffer): readonly string[] {
  const query = new URLSearchParams(target.includes('?') ? target.slice(target.indexOf('?')) : '');
  const form = new URLSearchParams(body.toString('latin1'));
  const named = ['To', 'From', 'AccountSid'].flatMap((name) => form.get(name) ?? query.get(name) ?? []);
  return named.filter((party) => party.length <= gatewayLimits.maxPartyLength && !controls.test(party));
}
