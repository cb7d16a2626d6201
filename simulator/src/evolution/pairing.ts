/** What a person scans: a QR code's text, its picture and the pairing code. The picture is a stand-in. */
import type { SimNumber } from '../world/number.ts';
import type { World } from '../world/world.ts';

/** How many codes are shown before the server gives up (providers.md 4.5). */
export const QR_LIMIT = 30;

export interface Pairing {
  readonly pairingCode: string | null;
  readonly code: string;
  readonly base64: string;
}

const PICTURE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/** A new code each time. */
export function pairingOf(world: World, number: SimNumber): Pairing {
  const text = Buffer.from(world.random.hex(64)).toString('base64');
  const pairingCode = number.digits ? `${world.random.hex(4)}-${world.random.hex(4)}` : null;
  return { pairingCode, code: `2@${text}`, base64: PICTURE };
}
