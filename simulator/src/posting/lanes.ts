/**
 * Jobs of one lane run one after the other; different lanes run side by side, at most `limit` jobs at once. A lane
 * that is empty is forgotten.
 */
import { Queue } from './queue.ts';

interface Lane<T> {
  readonly waiting: Queue<T>;
}

export class Lanes<T> {
  readonly #lanes = new Map<string, Lane<T>>();
  readonly #ready = new Queue<string>();
  readonly #limit: number;
  readonly #run: (jobs: readonly T[]) => Promise<void>;
  readonly #canJoin: (first: T, next: T, taken: number) => boolean;
  #running = 0;
  #waiting = 0;

  /** `canJoin` says whether the lane's next job may go together with the first in one call of `run`. */
  constructor(
    limit: number,
    run: (jobs: readonly T[]) => Promise<void>,
    canJoin: (first: T, next: T, taken: number) => boolean,
  ) {
    this.#limit = limit;
    this.#run = run;
    this.#canJoin = canJoin;
  }

  get waiting(): number {
    return this.#waiting;
  }

  push(name: string, job: T): void {
    this.#waiting += 1;
    const lane = this.#lanes.get(name);
    if (lane) {
      lane.waiting.push(job);
      return;
    }
    const fresh: Lane<T> = { waiting: new Queue() };
    fresh.waiting.push(job);
    this.#lanes.set(name, fresh);
    this.#ready.push(name);
    this.#startSome();
  }

  #startSome(): void {
    while (this.#running < this.#limit) {
      const name = this.#ready.shift();
      if (name === undefined) return;
      this.#running += 1;
      void this.#runOnce(name);
    }
  }

  /** `run` promises not to throw; a lane with more to do goes to the end of the line, so that none starves. */
  async #runOnce(name: string): Promise<void> {
    const lane = this.#lanes.get(name);
    try {
      if (lane) await this.#run(this.#takeTogether(lane.waiting));
    } finally {
      this.#running -= 1;
      if (lane && lane.waiting.size > 0) this.#ready.push(name);
      else this.#lanes.delete(name);
      this.#startSome();
    }
  }

  #takeTogether(waiting: Queue<T>): T[] {
    const first = waiting.shift();
    if (first === undefined) return [];
    const taken = [first];
    for (
      let next = waiting.peek();
      next !== undefined && this.#canJoin(first, next, taken.length);
      next = waiting.peek()
    ) {
      taken.push(next);
      waiting.shift();
    }
    this.#waiting -= taken.length;
    return taken;
  }
}
