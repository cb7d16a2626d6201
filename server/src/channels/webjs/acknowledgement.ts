import { type Acknowledgement, acknowledgementOfName } from '../baileys/index.ts';
import { type JsonValue, numberAt, textAt } from '../reading/index.ts';

/** `MessageAck` of whatsapp-web.js 1.34, and WAHA's `ack`. */
const nameOfAck: Readonly<Record<string, string>> = {
  '-1': 'ERROR',
  '0': 'PENDING',
  '1': 'SERVER',
  '2': 'DEVICE',
  '3': 'READ',
  '4': 'PLAYED',
};

/**
 * By name. A number alone is read as whatsapp-web.js counts, except from an engine that is built on Baileys (WAHA's
 * NOWEB), which may count one higher: there the lower reading is taken, for a receipt that claims too little is mended
 * by the next one, and one that claims too much never is.
 */
export function webAcknowledgementOf(payload: JsonValue, engine: string | undefined): Acknowledgement | undefined {
  const name = textAt(payload, 'ackName')?.trim();
  if (name) return acknowledgementOfName(name);
  const ack = numberAt(payload, 'ack');
  if (ack === undefined) return undefined;
  const isBaileys = engine === 'NOWEB' || engine === 'BAILEYS';
  const counted = isBaileys && ack > 0 ? ack - 1 : ack;
  return acknowledgementOfName(nameOfAck[String(counted)] ?? String(ack));
}
