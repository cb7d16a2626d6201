import type { LedgerCountsView } from '@switchyard/contract';

/** In the order of the walk. */
export const counters = [
  'received',
  'stored',
  'normalised',
  'events',
  'handled',
  'answered',
  'forwarded',
  'parked',
  'dead',
] as const satisfies readonly (keyof LedgerCountsView)[];
