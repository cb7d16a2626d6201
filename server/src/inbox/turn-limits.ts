export interface TurnLimits {
  readonly conversationsAtOnce: number;
  /** Then the conversation goes to the end of the queue: one that never falls silent must not keep a hand for ever. */
  readonly turnsPerLease: number;
  /** One turn; also no more than the lease. */
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
  conversationsAtOnce: 16,
  turnsPerLease: 50,
  turnMs: 10_000,
  maxAttempts: 3,
  maxCutShort: 20,
  retryDelayMs: 1_000,
  maxRetryDelayMs: 30_000,
  idleMs: 500,
  afterErrorMs: 500,
};
