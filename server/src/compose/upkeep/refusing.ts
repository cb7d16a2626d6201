import { type RefusalWatch, refusingRound, watchRefusals } from '#monitoring';
import type { Engines } from '#storage';
import type { Product } from '../rooms.ts';

/** That webhooks are refused, or taken again, is told at once. */
export function askForRefusing({ jobs }: Pick<Engines, 'jobs'>): Promise<void> {
  return jobs.enqueue('maintenance', { name: refusingRound, id: refusingRound, payload: null });
}

/** null: this process takes no webhooks, or nothing is watched. */
export function startRefusalWatch({ config, foundation, pressure }: Product): RefusalWatch | null {
  if (!config.roles.includes('gateway') || !config.isLedgerOn) return null;
  const { storage, clock, log, engines } = foundation;
  return watchRefusals({ storage, pressure, clock, log, begin: () => askForRefusing(engines) });
}
