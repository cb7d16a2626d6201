export interface TurnLimits {
  readonly conversationsAtOnce: number;
  /** Of those: the rest is for others, however much one workspace has to do. */
  readonly conversationsPerWorkspace: number;
  /** Of workspaces that were served and still wait: among more than these, age decides who is next. */
  readonly maxServedRemembered: number;
  /** Of one workspace in the transaction that writes their events: more would hold up the others' events. */
  readonly turnsAtOnce: number;
  /** They hold up what was stored after them: what takes longer goes the long way. */
  readonly atOnceMs: number;
  /** What becomes due while a batch is under way forms the next; after this long it is no longer waited for. */
  readonly patienceMs: number;
  /** One turn, or one batch of them; also no more than the lease. */
  readonly turnMs: number;
  readonly maxAttempts: number;
  /**
   * Of processes in a row that died over one event: more than of other failures, since a process may also be killed from outside,
   * and nobody can tell the two apart.
   */
  readonly maxDeaths: number;
  /** Of tries that the database cut short, or took the time of: they say little about the event. */
  readonly maxCutShort: number;
  /** Doubles with each try. */
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
  readonly idleMs: number;
  readonly afterErrorMs: number;
}

export const turnLimits: TurnLimits = {
  conversationsAtOnce: 64,
  conversationsPerWorkspace: 48,
  maxServedRemembered: 1_000,
  turnsAtOnce: 32,
  atOnceMs: 2_000,
  patienceMs: 50,
  turnMs: 10_000,
  maxAttempts: 3,
  maxDeaths: 6,
  maxCutShort: 20,
  retryDelayMs: 1_000,
  maxRetryDelayMs: 30_000,
  idleMs: 500,
  afterErrorMs: 500,
};
