/** Evolution's ids and addresses: JIDs, message keys, instances. */
import { createHash } from 'node:crypto';
import type { Customer } from '../world/customer.ts';
import type { SimNumber } from '../world/number.ts';
import type { Random } from '../world/random.ts';
import type { Inbound } from '../world/stand.ts';

export interface MessageKey {
  readonly remoteJid: string;
  readonly fromMe: boolean;
  readonly id: string;
  readonly remoteJidAlt?: string;
  readonly participant?: string;
  readonly addressingMode?: string;
}

export function instanceOf(number: SimNumber): string {
  return number.ids.instance ?? number.number;
}

export function instanceIdOf(number: SimNumber): string {
  const hash = createHash('md5').update(instanceOf(number)).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The connected number's own JID. */
export function ownJid(number: SimNumber): string {
  return `${number.digits}@s.whatsapp.net`;
}

export function jidOf(customer: Customer): string {
  return customer.phone ? `${customer.phone}@s.whatsapp.net` : `${customer.lid ?? customer.key}@lid`;
}

export function messageKeyId(random: Random): string {
  return `3EB0${random.hex(18)}`;
}

/** Someone with a LID is addressed by it; v2 adds the phone beside, where it is known. Groups name the author. */
export function keyOf(number: SimNumber, inbound: Inbound, fromMe: boolean): MessageKey {
  const { customer, groupId } = inbound;
  if (groupId) return { remoteJid: `${groupId}@g.us`, fromMe, id: inbound.id, participant: jidOf(customer) };
  if (customer.lid === undefined || number.version === 'v1')
    return { remoteJid: jidOf(customer), fromMe, id: inbound.id };
  const alternative = customer.phone ? { remoteJidAlt: `${customer.phone}@s.whatsapp.net` } : {};
  return {
    remoteJid: `${customer.lid}@lid`,
    ...alternative,
    fromMe,
    id: inbound.id,
    participant: '',
    addressingMode: 'lid',
  };
}
