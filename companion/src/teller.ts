/**
 * Tells the server what happens to one session, and posts its news to the account's webhook.
 *
 * News goes out one after another, each again and again until the server has it. Of statuses and codes only the newest
 * counts, so a server that was away hears how it is now and not how it was.
 *
 * A webhook that the server refuses for its address or its signature (404, 401) may only be ahead of us: a person has
 * changed the account's keys, and the next renewal of the lease brings them. It is kept until one that was asked for
 * afterwards has come.
 *
 * What is too large for it (413) is told without its files.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Log, wordsOf } from './log.ts';
import { type Broadcast, type Lease, LeaseLost, type ServerClient, ServerRefused } from './server-client.ts';
import { withoutFiles } from './without-files.ts';

export const tellerLimits = { firstWaitMs: 200, maxWaitMs: 30_000, maxNews: 5_000 } as const;

export interface TellerParts {
  readonly server: Pick<ServerClient, 'broadcast' | 'postWebhook'>;
  /** With the keys of now. */
  lease(): Lease;
  /** Never goes back. */
  readonly elapsedMs: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly lost: () => void;
}

export class Teller {
  readonly #parts: TellerParts;
  readonly #news: string[] = [];
  readonly #newest = new Map<Broadcast['event'], Broadcast>();
  readonly #ending = new AbortController();
  #running: Promise<void> | null = null;
  /** When the newest renewal was asked for. */
  #renewedMs = Number.NEGATIVE_INFINITY;
  /** When the server first refused the oldest news for the keys; null: it has not. */
  #refusedMs: number | null = null;
  #waking = new AbortController();
  #dropped = 0;

  constructor(parts: TellerParts) {
    this.#parts = parts;
  }

  tell(broadcast: Broadcast): void {
    // A code is of no more use once the status has changed.
    if (broadcast.event === 'account-status-changed') this.#newest.delete('qr-code-generated');
    this.#newest.delete(broadcast.event);
    this.#newest.set(broadcast.event, broadcast);
    this.#run();
  }

  post(body: string): void {
    if (this.#news.length >= tellerLimits.maxNews) {
      this.#news.shift();
      this.#dropped += 1;
      this.#parts.log.error({ dropped: this.#dropped }, 'the server has been away too long; the oldest news is lost');
    }
    this.#news.push(body);
    this.#run();
  }

  /** The lease was renewed, and has the keys of then. What waits for them is tried at once. */
  noteRenewal(askedAtMs: number): void {
    this.#renewedMs = Math.max(this.#renewedMs, askedAtMs);
    if (this.#refusedMs !== null) this.#waking.abort();
  }

  get waiting(): number {
    return this.#news.length + this.#newest.size;
  }

  /** Waits so long for what is still to be told, then gives up. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#ending.abort(), graceMs);
    await this.#running;
    clearTimeout(timer);
    this.#ending.abort();
    if (this.waiting > 0) this.#parts.log.error({ waiting: this.waiting }, 'stopped before the server heard all');
  }

  /** Nothing more is told: another machine speaks for the session now. */
  abandon(): void {
    this.#ending.abort();
    this.#news.length = 0;
    this.#newest.clear();
  }

  #run(): void {
    this.#running ??= this.#tellAll().finally(() => {
      this.#running = null;
      if (this.waiting > 0 && !this.#ending.signal.aborted) this.#run();
    });
  }

  async #tellAll(): Promise<void> {
    for (let failures = 0; this.waiting > 0 && !this.#ending.signal.aborted; ) {
      try {
        await this.#tellNext();
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#parts.log.warn({ error: wordsOf(error), failures }, 'the server could not be told yet');
        await this.#pause(failures);
      }
    }
  }

  async #tellNext(): Promise<void> {
    const { server, log, lost } = this.#parts;
    const lease = this.#parts.lease();
    const [broadcast] = this.#newest.values();
    const [body] = this.#news;
    try {
      if (broadcast) await server.broadcast(lease.fence, broadcast);
      else if (body !== undefined) await server.postWebhook(lease, body);
    } catch (error) {
      if (error instanceof LeaseLost) {
        this.abandon();
        lost();
        return;
      }
      if (!(error instanceof ServerRefused)) throw error;
      if (!broadcast && this.#mayHaveOldKeys(error)) throw error;
      if (!broadcast && error.status === 413 && this.#lighten(body)) return;
      // It would refuse it again, and everything behind it would wait for ever.
      log.error({ error: error.message }, 'the server refused what it was told');
    }
    if (broadcast && this.#newest.get(broadcast.event) === broadcast) this.#newest.delete(broadcast.event);
    else if (!broadcast) {
      // It may have been the oldest that was let go for want of room, while the server was asked.
      if (this.#news[0] === body) this.#news.shift();
      this.#refusedMs = null;
    }
  }

  /** A message without its file is better than none. Tells whether it is the oldest news, and shorter now. */
  #lighten(body: string | undefined): boolean {
    const lighter = body === undefined || body !== this.#news[0] ? null : withoutFiles(body);
    if (lighter === null) return false;
    this.#news[0] = lighter;
    this.#parts.log.warn({}, 'the server finds news too large; it goes on without its files');
    return true;
  }

  #mayHaveOldKeys({ status }: ServerRefused): boolean {
    if (status !== 401 && status !== 404) return false;
    this.#refusedMs ??= this.#parts.elapsedMs();
    return this.#renewedMs <= this.#refusedMs;
  }

  async #pause(failures: number): Promise<void> {
    const { firstWaitMs, maxWaitMs } = tellerLimits;
    const whole = Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(20, failures - 1));
    this.#waking = new AbortController();
    const signal = AbortSignal.any([this.#ending.signal, this.#waking.signal]);
    // An end of the waiting is new keys, or the end of the telling, which the loop looks at by itself.
    await wait(whole / 2 + (whole / 2) * this.#parts.random(), undefined, { signal, ref: false }).catch(
      () => undefined,
    );
  }
}
