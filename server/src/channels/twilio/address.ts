import type { Binding, Identity } from '@switchyard/contract';
import type { Parameters } from './parameters.ts';

const whatsappPrefix = 'whatsapp:';
/** `US.1349…`, `US.ENT.…`: a business-scoped user id begins with a country. */
const bsuidShape = /^[A-Z]{2}\.[\w.]+$/;
const phoneShape = /^\+\d{3,15}$/;

/** Twilio's spelling of an address. An unescaped plus arrives as a blank and is put back. */
export function cleanAddress(address: string): string {
  return address.trimEnd().replace(/^(whatsapp:)?\s+(?=\d)/, '$1+');
}

/** Our own sender as Twilio writes it, however it was typed into the setting. */
export function senderAddress(sender: string): string {
  return `${whatsappPrefix}${sender.replace(/^whatsapp:/, '')}`;
}

/**
 * Who an address is, best first. `whatsapp:+1…` gives phone and wa_id; `whatsapp:US.…` gives a business-scoped id (since
 * 2026 a WhatsApp user may hide the phone); a bare `+1…` is SMS. What is neither (a short code, a sender name) is kept
 * as a username, so that the message has an author.
 */
export function identitiesOf(address: string | undefined): readonly Identity[] {
  if (!address) return [];
  const clean = cleanAddress(address);
  const isWhatsapp = clean.startsWith(whatsappPrefix);
  const bare = isWhatsapp ? clean.slice(whatsappPrefix.length) : clean;
  if (phoneShape.test(bare)) {
    const phone: Identity = { kind: 'phone', value: bare };
    return isWhatsapp ? [phone, { kind: 'wa_id', value: bare.slice(1) }] : [phone];
  }
  if (bare === '') return [];
  return [{ kind: bsuidShape.test(bare) ? 'bsuid' : 'username', value: bare }];
}

/** Everything the parameters say of the author: From, WaId and ExternalUserId; no identity twice. */
export function authorOf(parameters: Parameters): readonly Identity[] {
  const waId = parameters.read('WaId');
  const all = [
    ...identitiesOf(parameters.read('From')),
    ...(waId && /^\d{3,20}$/.test(waId) ? [{ kind: 'wa_id', value: waId } as const] : []),
    ...identitiesOf(parameters.read('ExternalUserId')),
  ];
  return all.filter((one, at) => all.findIndex((other) => isSame(one, other)) === at);
}

function isSame(one: Identity, other: Identity): boolean {
  return one.kind === other.kind && one.value === other.value;
}

/** The account by its AccountSid, and our own number in Twilio's spelling (`whatsapp:+1…`; bare for SMS). */
export function bindingsOf(parameters: Parameters, ourAddress: 'From' | 'To'): readonly Binding[] {
  const account = parameters.read('AccountSid');
  const address = parameters.read(ourAddress);
  return [
    ...(account ? [{ kind: 'twilio_account', value: account } as const] : []),
    ...(address ? [{ kind: 'twilio_address', value: cleanAddress(address) } as const] : []),
  ];
}
