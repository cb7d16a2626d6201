import type { SendRequest } from '../channel.ts';

/** What goes into `number`: digits, or a LID with its server. The phone first: older servers know no LID. */
export function numberOf(addresses: SendRequest['to']): string | undefined {
  for (const kind of ['phone', 'wa_id']) {
    const digits = addresses.find((address) => address.kind === kind)?.value.replace(/\D/g, '');
    if (digits) return digits;
  }
  const lid = addresses.find((address) => address.kind === 'lid')?.value;
  if (!lid) return undefined;
  return lid.includes('@') ? lid : `${lid}@lid`;
}

/** The chat, where a message in it is meant. */
export function chatOf(addresses: SendRequest['to']): string | undefined {
  const number = numberOf(addresses);
  return number === undefined || number.includes('@') ? number : `${number}@s.whatsapp.net`;
}
