export interface TurnLimits {
  readonly conversationsAtOnce: number;
  /** While so many batches are under way, what becomes due meanwhile forms the next. */
  readonly batchesAtOnce: number;
  /** A batch that takes longer than this no longer counts among them: one that hangs must not hold up the others. */
  readonly patienceMs: number;
  /** One turn, or one batch of them; also no more than the lease. */
  readonly turnMs: number;
  readonly maxAttempts: number;
  /** Of tries that the database cut short: they say little about the event. */
  readonly maxCutShort: number;
  /** Doubles with each try. */
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
  readonly idleMs: number;
  readonly afterErrorMs: number;
}

export const turnLimits: TurnLimits = {
  conversationsAtOnce: 64,
  batchesAtOnce: 1,
  patienceMs: 50,
  turnMs: 10_000,
  maxAttempts: 3,
  maxCutShort: 20,
  retryDelayMs: 1_000,
  maxRetryDelayMs: 30_000,
  idleMs: 500,
  afterErrorMs: 500,
};
