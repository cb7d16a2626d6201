/**
 * What may run on Postgres or on Redis. The same code, the same conformance suite; Redis is a doorbell and a cache,
 * never the truth: losing all of it costs latency only.
 */

/** Events between processes: ids only, at most 4,000 bytes of JSON; may be lost, so every listener also polls. */
export interface Doorbell {
  /**
   * Resolves when the ring has left, or at once while the connection is lost: then it leaves with the next one. Rings
   * alike that wait together are one. Rejects only for a wrong topic (lower case, 1 to 48) or too large a payload.
   */
  ring(topic: string, payload?: Readonly<Record<string, string | number | null>>): Promise<void>;
  listen(
    topic: string,
    heard: (payload: Readonly<Record<string, string | number | null>>) => void,
  ): Promise<() => Promise<void>>;
  /** Called when rings may have been missed (reconnected): listeners look for themselves. */
  onGap(heard: () => void): () => void;
  close(): Promise<void>;
}

/**
 * A cache in two levels: in the process (LRU), and shared. Loads of one key at a time per process; "not there" is
 * cached too, for a shorter time. `invalidate` reaches every process.
 */
export interface TwoLevelCache<Value> {
  /**
   * `hit`: a value that was held here or in the shared level; `negative`: an absence that was held; `miss`: it had to be
   * loaded, and may be null all the same. Rejects as `load` does; a failure is never held.
   */
  get(key: string): Promise<{ readonly value: Value | null; readonly outcome: 'hit' | 'miss' | 'negative' }>;
  /** The value if this process holds it, without any waiting: the gateway's fast path. undefined: ask `get`. */
  peek(key: string): Value | null | undefined;
  /** Call it after the commit. Never rejects because an engine is away; a process cut off is right after `ttlMs`. */
  invalidate(key: string): Promise<void>;
}

export interface CacheOptions<Value> {
  readonly name: string;
  readonly maxEntries: number;
  /** What is known not to be there is held apart, so that who asks for what nobody has drives out nothing; 5,000 at most. */
  readonly maxAbsences?: number;
  readonly ttlMs: number;
  readonly negativeTtlMs: number;
  load(key: string): Promise<Value | null>;
  /** For the shared level (Redis only; on Postgres the database itself is the second level). Undefined: never shared. */
  readonly codec?: { encode(value: Value): string; decode(text: string): Value };
}

/** Counters with an end: rate limits, budgets. Windows are fixed and start at the first hit. */
export interface Counters {
  /** Adds and gives the new total of the window and how long it still lasts. Atomic across processes. */
  add(key: string, amount: number, windowMs: number): Promise<{ readonly total: number; readonly remainingMs: number }>;
  /** True the first time within `windowMs`: nonces, "once an incident". Atomic across processes. Always in Postgres. */
  claimOnce(key: string, windowMs: number): Promise<boolean>;
  close(): Promise<void>;
}

export const queueNames = [
  'order-processing',
  'invoice-processing',
  'reminders',
  'campaigns',
  'migrations',
  'maintenance',
] as const;
export type QueueName = (typeof queueNames)[number];

/** Background work by name. At least once, no order between jobs; payloads are versioned and carry ids, not copies. */
export interface Jobs {
  /**
   * The same `name` and `id` twice while the first waits, is delayed or runs is one job; afterwards it is another. So what
   * changes while its job runs may need a job of another id. Letters first, no colon. Rejects when the engine is away.
   */
  enqueue(
    queue: QueueName,
    job: { readonly name: string; readonly id: string; readonly payload: unknown; readonly delayMs?: number },
  ): Promise<void>;
  /** Every `everyMs`, once across all processes; the newest schedule of a name counts. A slow run may meet the next. */
  schedule(
    queue: QueueName,
    job: { readonly name: string; readonly everyMs: number; readonly payload: unknown },
  ): Promise<void>;
  /** Once a queue and process. An attempt that throws is tried again later, up to `maxAttempts`, then counted as failed. */
  work(
    queue: QueueName,
    handle: (job: { readonly name: string; readonly payload: unknown; readonly attempt: number }) => Promise<void>,
    options: { readonly concurrency: number; readonly maxAttempts: number },
  ): Promise<void>;
  /** `completed` and `failed` are those still kept: the last 1,000 of a day, the last 5,000 of two weeks. */
  counts(queue: QueueName): Promise<{
    readonly waiting: number;
    readonly active: number;
    readonly delayed: number;
    readonly failed: number;
    readonly completed: number;
  }>;
  close(): Promise<void>;
}

export interface Engines {
  readonly kind: 'postgres' | 'redis';
  readonly doorbell: Doorbell;
  readonly counters: Counters;
  readonly jobs: Jobs;
  cache<Value>(options: CacheOptions<Value>): TwoLevelCache<Value>;
  close(): Promise<void>;
}
