/** What the library's `lastDisconnect` means (its `DisconnectReason`, 7.0.0-rc14). */
import type { CloseReason } from '../reconnect.ts';

const reasons: Readonly<Record<number, CloseReason>> = {
  401: 'unlinked',
  403: 'barred',
  411: 'barred',
  440: 'replaced',
  500: 'bad-state',
  515: 'restart',
};

export function closeReasonOf(error: unknown): CloseReason {
  const message = error instanceof Error ? error.message : '';
  if (message === 'QR refs attempts ended') return 'codes-used-up';
  return reasons[statusOf(error)] ?? 'lost';
}

/** A Boom carries it in `output`. */
function statusOf(error: unknown): number {
  const output = (error as { readonly output?: { readonly statusCode?: unknown } } | undefined)?.output;
  return typeof output?.statusCode === 'number' ? output.statusCode : 0;
}
