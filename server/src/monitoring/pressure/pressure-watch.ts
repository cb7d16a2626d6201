/** Measures every second and keeps what follows: what is held back, and whether deliveries are refused. */
import { statfs } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { RefusalReason } from '@switchyard/contract';
import type { Clock, Log } from '#kernel';
import type { Lane } from '#outbox';
import { type Storage, StorageUnavailable } from '#storage';
import {
  heldLanes,
  heldWork,
  milderOf,
  noPressure,
  type Pressure,
  type PressureFacts,
  pressureOf,
  refusesDeliveries,
  slowsReads,
  type WorkLane,
  whyRefused,
} from './pressure.ts';
import { readBacklogAge } from './pressure-store.ts';

export interface PressureDeps {
  readonly storage: Pick<Storage, 'workerStatement' | 'gatewayStatement'>;
  /** Where the embedded database lies; null: the database is elsewhere, and so is its disk. */
  readonly dataFolder: string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly lookEveryMs?: number;
}

export interface PressureWatch {
  start(): void;
  stop(): Promise<void>;
  readonly pressure: Pressure;
  /** Lanes that nothing is claimed from for now. */
  readonly held: readonly Lane[];
  /**
   * For work that is done in slices and is no message, before each slice: true when it may go on, at once or as soon as the
   * pressure lets it; false when the signal came first. The copying of a migration asks here.
   */
  mayGoOn(lane: WorkLane, signal: AbortSignal): Promise<boolean>;
  readonly isRefusing: boolean;
  /** Why no delivery is taken, by us or since the database that would store it is away; none: they are taken. */
  readonly refusal: readonly RefusalReason[];
  /** The console's lists, statistics and exports wait for messages. */
  readonly isSlowingReads: boolean;
}

export const pressureLimits = { lookEveryMs: 1_000, loopResolutionMs: 20 } as const;

export function createPressureWatch(deps: PressureDeps): PressureWatch {
  return new Watch(deps);
}

class Watch implements PressureWatch {
  readonly #deps: PressureDeps;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: pressureLimits.loopResolutionMs });
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isLooking = false;
  #last: PressureFacts | undefined;
  readonly #waiting = new Set<() => void>();
  pressure: Pressure = noPressure;
  held: readonly Lane[] = [];
  isRefusing = false;
  refusal: readonly RefusalReason[] = [];
  isSlowingReads = false;

  constructor(deps: PressureDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#loopDelay.enable();
    this.#timer = setInterval(() => {
      if (!this.#isLooking) this.#looking = this.#look();
    }, this.#deps.lookEveryMs ?? pressureLimits.lookEveryMs);
    this.#timer.unref();
  }

  mayGoOn(lane: WorkLane, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const look = () => {
        if (heldWork(this.pressure).includes(lane) && !signal.aborted) return;
        this.#waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve(!signal.aborted);
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#loopDelay.disable();
    await this.#looking;
  }

  /** Never throws: what cannot be measured presses nothing. */
  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      const facts = await this.#measure();
      this.#take(pressureOf(milderOf(facts, this.#last ?? facts), this.pressure));
      this.#last = facts;
      this.refusal = facts.statementMs === null ? ['database'] : whyRefused(this.pressure);
    } catch (error) {
      // What refused before goes on only where it still holds the lanes.
      this.refusal = whyRefused(this.pressure);
      this.#deps.log.warn({ error: String(error) }, 'the pressure could not be measured');
    } finally {
      this.#isLooking = false;
    }
  }

  async #measure(): Promise<PressureFacts> {
    const loopDelayMs = Math.max(0, this.#loopDelay.percentile(50) / 1e6 - pressureLimits.loopResolutionMs);
    this.#loopDelay.reset();
    return { ...(await this.#askDatabase()), freeBytes: await this.#freeBytes(), loopDelayMs };
  }

  async #askDatabase(): Promise<Pick<PressureFacts, 'backlogAgeMs' | 'wideBacklogAgeMs' | 'statementMs'>> {
    const { storage, clock } = this.#deps;
    const began = clock.elapsedMs();
    // Who needs it will hear so, and answers 503 by itself.
    const isThere = await unlessAway(storage.gatewayStatement('SELECT 1', [], 'pressure-ping'));
    if (isThere === null) return { statementMs: null, ...unknownAges };
    const statementMs = clock.elapsedMs() - began;
    // By other connections than those of the gateway: that these are all in use says nothing of webhooks.
    return { statementMs, ...((await unlessAway(readBacklogAge(storage))) ?? unknownAges) };
  }

  async #freeBytes(): Promise<number | null> {
    if (this.#deps.dataFolder === null) return null;
    const { bavail, bsize } = await statfs(this.#deps.dataFolder);
    return bavail * bsize;
  }

  #take(next: Pressure): void {
    if (next.step !== this.pressure.step) {
      const facts = { step: next.step, before: this.pressure.step, reasons: next.reasons };
      this.#deps.log[heldLanes(next).length === 0 ? 'info' : 'warn'](facts, 'the pressure on the server has changed');
    }
    this.pressure = next;
    this.held = heldLanes(next);
    this.isRefusing = refusesDeliveries(next);
    this.isSlowingReads = slowsReads(next);
    for (const look of this.#waiting) look();
  }
}

const unknownAges = { backlogAgeMs: null, wideBacklogAgeMs: null } as const;

/** null: the database did not answer. */
async function unlessAway<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof StorageUnavailable) return null;
    throw error;
  }
}
