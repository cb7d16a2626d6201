/** The drain as one thing with a life: normalising, turns, parked events; woken by doorbells, with a poll behind them. */
import type { Engines } from '#storage';
import { takeBackArrivals } from './arrive/arrivals-store.ts';
import type { Drain } from './inbox.ts';
import { createNormaliser, type NormaliserDeps } from './normalise/normaliser.ts';
import { type ApplyReceipt, createParkedSweep } from './parked.ts';
import type { TurnDeps } from './turns/turn-batch.ts';
import { createTurns } from './turns/turns.ts';
import { createTurnsAtOnce } from './turns/turns-at-once.ts';

/** Rung by a gateway after a commit; heard by every worker. */
export const inboxTopic = 'inbox';

export type DrainDeps = Omit<NormaliserDeps, 'wakeTurns' | 'takeAtOnce'> &
  TurnDeps & { readonly engines: Pick<Engines, 'doorbell'>; readonly applyReceipt: ApplyReceipt };

export interface NudgeableDrain extends Drain {
  /** A delivery was stored by this very process. */
  nudge(): void;
}

export function createDrain(deps: DrainDeps): NudgeableDrain {
  const turns = createTurns(deps);
  const normaliser = createNormaliser({ ...deps, wakeTurns: () => turns.nudge(), takeAtOnce: createTurnsAtOnce(deps) });
  const parked = createParkedSweep(deps);
  const loops = [normaliser, turns, parked];
  let stopListening: Promise<() => Promise<void>> | null = null;
  return {
    start() {
      for (const loop of loops) loop.start();
      void tryAsideAgain(deps);
      stopListening = listen(deps, () => normaliser.nudge());
    },
    nudge: () => normaliser.nudge(),
    /** What is not done by then is left to run out and is done by another: it is logged. */
    async stop(graceMs) {
      const ended = Promise.all([...loops.map((loop) => loop.stop()), stopListening?.then((stop) => stop())]);
      if (await isWithin(graceMs, ended)) return;
      deps.log.warn({ graceMs }, 'the drain did not end in time; its leases run out');
    },
  };
}

/** Perhaps this version can unpack what the last could not. */
async function tryAsideAgain({ storage, log }: DrainDeps): Promise<void> {
  try {
    const count = await takeBackArrivals(storage);
    if (count > 0) log.warn({ count }, 'deliveries that were set aside are tried once more');
  } catch (error) {
    log.warn({ error: String(error) }, 'deliveries that were set aside stay there until the next start');
  }
}

async function listen(deps: DrainDeps, heard: () => void): Promise<() => Promise<void>> {
  const { doorbell } = deps.engines;
  const endGaps = doorbell.onGap(heard);
  try {
    const endRings = await doorbell.listen(inboxTopic, heard);
    return async () => {
      endGaps();
      await endRings();
    };
  } catch (error) {
    deps.log.warn({ error: String(error) }, 'no doorbell for the inbox; it is polled');
    return async () => endGaps();
  }
}

async function isWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), limitMs);
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
