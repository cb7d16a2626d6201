/**
 * What became of an instance's connection. An instance is `connecting` (also while it shows a QR code), `open`, or
 * `close`; after a close it either connects again by itself or, when WhatsApp has logged it out, stays away until a
 * person scans a new code. `refused` is the end of a QR that nobody scanned. The reasons are Baileys' DisconnectReason.
 */
import type { AccountEvent } from '@switchyard/contract';
import { type JsonValue, numberAt, textAt } from '../reading/index.ts';
import type { EvolutionEvent } from './event-names.ts';

type Connection = NonNullable<AccountEvent['connection']>;

const connections: Readonly<Record<string, Connection>> = {
  connecting: 'connecting',
  open: 'connected',
  close: 'disconnected',
  closed: 'disconnected',
  refused: 'error',
};

/** Logged out, payment required, forbidden, not acceptable. */
const finalReasons: readonly (number | undefined)[] = [401, 402, 403, 406];

export function connectionOf(event: EvolutionEvent | undefined, data: JsonValue): Connection {
  const state = stateOf(data);
  const known = Object.hasOwn(connections, state) ? connections[state] : undefined;
  // A log-out and a removal say nothing but their name.
  return known ?? (event === 'connection.update' ? 'error' : 'disconnected');
}

/** As `connectionState` tells it. */
export function connectionOfState(state: string): Connection {
  return connectionOf('connection.update', { state });
}

/** `reconnects`: after a close, whether the server will connect again by itself. */
export function connectionFacts(data: JsonValue): { readonly reconnects?: boolean } {
  const state = stateOf(data);
  if (!['close', 'closed', 'refused'].includes(state)) return {};
  const reason = numberAt(data, 'statusReason') ?? numberAt(data, 'disconnectionReasonCode');
  return { reconnects: state === 'close' && !finalReasons.includes(reason) };
}

function stateOf(data: JsonValue): string {
  return (textAt(data, 'state') ?? textAt(data, 'status') ?? '').toLowerCase();
}
