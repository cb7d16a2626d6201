import type { Clock } from '#kernel';
import type { Row, WorkspaceTx } from '#storage';

/** A transaction that knows how long its user waits for the database, several statements at once counted once. */
export class WaitedTx implements WorkspaceTx {
  readonly workspaceId: WorkspaceTx['workspaceId'];
  readonly #tx: WorkspaceTx;
  readonly #clock: Clock;
  #unanswered = 0;
  #askedAtMs = 0;
  #answeredMs = 0;

  constructor(tx: WorkspaceTx, clock: Clock) {
    this.workspaceId = tx.workspaceId;
    this.#tx = tx;
    this.#clock = clock;
  }

  /** A statement has been sent of which nothing has come back. */
  get isWaiting(): boolean {
    return this.#unanswered > 0;
  }

  get waitedMs(): number {
    return this.#answeredMs + (this.isWaiting ? this.#clock.elapsedMs() - this.#askedAtMs : 0);
  }

  async query<R extends Row = Row>(text: string, values?: readonly unknown[], name?: string): Promise<R[]> {
    if (this.#unanswered === 0) this.#askedAtMs = this.#clock.elapsedMs();
    this.#unanswered += 1;
    try {
      return await this.#tx.query<R>(text, values, name);
    } finally {
      if (this.#unanswered === 1) this.#answeredMs = this.waitedMs;
      this.#unanswered -= 1;
    }
  }

  afterCommit(ring: () => void): void {
    this.#tx.afterCommit(ring);
  }
}
