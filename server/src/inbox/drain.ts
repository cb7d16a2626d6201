/** The drain as one thing with a life: normalising, turns, parked events; woken by doorbells, with a poll behind them. */
import type { Engines } from '#storage';
import type { Drain } from './inbox.ts';
import { createNormaliser, type NormaliserDeps } from './normaliser.ts';
import { type ApplyReceipt, createParkedSweep } from './parked.ts';
import { createTurns, type TurnDeps } from './turns.ts';

/** Rung by a gateway after a commit; heard by every worker. */
export const inboxTopic = 'inbox';

export type DrainDeps = Omit<NormaliserDeps, 'wakeTurns'> &
  TurnDeps & { readonly engines: Engines; readonly applyReceipt: ApplyReceipt };

export interface NudgeableDrain extends Drain {
  /** A delivery was stored by this very process. */
  nudge(): void;
}

export function createDrain(deps: DrainDeps): NudgeableDrain {
  const turns = createTurns(deps);
  const normaliser = createNormaliser({ ...deps, wakeTurns: () => turns.nudge() });
  const parked = createParkedSweep(deps);
  const loops = [normaliser, turns, parked];
  let stopListening: (() => Promise<void>) | null = null;
  return {
    start() {
      for (const loop of loops) loop.start();
      deps.engines.doorbell
        .listen(inboxTopic, () => normaliser.nudge())
        .then(
          (stop) => {
            stopListening = stop;
          },
          (error: unknown) => deps.log.warn({ error: String(error) }, 'no doorbell for the inbox; it is polled'),
        );
    },
    nudge: () => normaliser.nudge(),
    async stop() {
      await stopListening?.();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}
