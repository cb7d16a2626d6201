/** Limits of the first half of the drain. */
export const normaliseLimits = {
  batchCount: 200,
  batchBytes: 8 * 1024 * 1024,
  maxAttempts: 3,
  /** Of tries in which a delivery failed by itself and was left for the next batch, most often cut off by the database. */
  maxLeftOver: 6,
  /** Of accounts whose deliveries failed by themselves in one batch: after so many the database may be what is slow. */
  maxAccountsLeft: 3,
  /** Of processes in a row that died over one delivery; some may have been killed from outside. */
  maxDeaths: 6,
  /** Half of them: a second worker finds some free. */
  shardsPerLease: 8,
  /** Two transactions that met are tried again this often before the batch is taken apart. */
  maxMeetings: 5,
  retryPauseMs: 50,
  /** What is read of bodies before others get their turn: the gateway may live in this process. */
  bytesBetweenYields: 256 * 1024,
  partsBetweenYields: 2_000,
  /** Of events and dead letters: a batch that has so many is not planned further, and the rest of it is read again. */
  batchParts: 10_000,
  idleMs: 500,
  afterErrorMs: 500,
} as const;
