/** Twilio's ids and addresses. */
import type { SimNumber } from '../world/number.ts';
import type { Random } from '../world/random.ts';

export function sid(random: Random, prefix: string): string {
  return prefix + random.hex(32).toLowerCase();
}

export function accountSidOf(number: SimNumber): string {
  return number.ids.accountSid ?? '';
}

export function addressOf(number: SimNumber): string {
  return `whatsapp:+${number.digits}`;
}
