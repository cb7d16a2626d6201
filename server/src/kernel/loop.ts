import type { Log } from './log.ts';

/** Work that is done again and again: at once while there is some, else after `idleMs` or when nudged. */
export interface Loop {
  start(): void;
  /** There may be work now. Cheap; may be called from anywhere, any number of times. */
  nudge(): void;
  /** No new step begins; resolves when the running one has ended. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  readonly name: string;
  /** One step; true when there may be more to do at once. */
  readonly step: () => Promise<boolean>;
  readonly idleMs: number;
  /** Pause after a step that threw, so that a broken database is not asked a thousand times a second. */
  readonly afterErrorMs: number;
  readonly log: Log;
}

/**
 * Its states: `off`, `running` a step, `idle` until a timer or a nudge. A nudge that comes during a step is remembered,
 * so that work which arrived after the step looked is not left until the timer.
 */
export function createLoop(options: LoopOptions): Loop {
  return new WorkLoop(options);
}

class WorkLoop implements Loop {
  readonly #options: LoopOptions;
  #isOn = false;
  #wasNudged = false;
  #wake: (() => void) | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#ended = this.#run();
  }

  nudge(): void {
    this.#wasNudged = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    this.#wake?.();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (this.#isOn) {
      this.#wasNudged = false;
      const pauseMs = await this.#step();
      if (pauseMs > 0 && this.#isOn && !this.#wasNudged) await this.#pause(pauseMs);
    }
  }

  async #step(): Promise<number> {
    try {
      return (await this.#options.step()) ? 0 : this.#options.idleMs;
    } catch (error) {
      this.#options.log.error({ loop: this.#options.name, error: String(error) }, 'a step failed; trying again');
      this.#wasNudged = false;
      return this.#options.afterErrorMs;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const wake = () => {
        clearTimeout(timer);
        done();
      };
      const self = this;
      function done() {
        self.#wake = null;
        resolve();
      }
      this.#wake = wake;
    });
  }
}
