/** Posts what the instance says of its connection, and shows new QR codes until scanned or until the limit. */
import type { SimNumber } from '../world/number.ts';
import type { World } from '../world/world.ts';
import { instanceOf } from './addresses.ts';
import { QR_LIMIT } from './pairing.ts';
import { eventPosting } from './webhook.ts';

export function announce(world: World, number: SimNumber, cause: 'open' | 'ban' | 'disconnect' | 'qr'): void {
  for (const posting of world.stands[number.provider].connection(world, number, cause)) world.poster.post(posting);
}

/** Starts over; ends when the connection leaves `connecting`. */
export function startQrCycle(world: World, number: SimNumber): void {
  number.connection = 'connecting';
  number.qrCount = 0;
  showNext(world, number);
}

function showNext(world: World, number: SimNumber): void {
  if (number.connection !== 'connecting') return;
  number.qrCount += 1;
  if (number.qrCount > QR_LIMIT) {
    giveUp(world, number);
    return;
  }
  announce(world, number, 'qr');
  setTimeout(() => showNext(world, number), world.settings.qrCycleMs).unref();
}

function giveUp(world: World, number: SimNumber): void {
  number.connection = 'close';
  if (number.provider !== 'evolution') return;
  const event = { operation: 'account' as const, customer: '', messageId: '' };
  const limit = { message: 'QR code limit reached, please login again', statusCode: 500 };
  const refused = { instance: instanceOf(number), state: 'refused', statusReason: 428 };
  for (const [name, data] of [['qrcode.updated', limit] as const, ['connection.update', refused] as const]) {
    const posting = eventPosting(world, number, { ...event, event: name, what: name, data });
    if (posting) world.poster.post(posting);
  }
}
