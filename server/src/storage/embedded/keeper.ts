import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Log } from '#kernel';
import { EmbeddedFailure } from './failures.ts';
import { type Hold, takeHold } from './hold.ts';
import type { Place } from './place.ts';
import {
  choosePort,
  isPostgresAlive,
  type Postmaster,
  readPostmaster,
  socketFolderOf,
  startPostmaster,
  stopPostmaster,
} from './postmaster.ts';

const startAttempts = 3;
const retryMs = 200;
const askAgainMs = 50;
const acquireTimeoutMs = 60_000;
/** Between tries to bring back a server that died: at first, and at most. */
const revivalPause = { firstMs: 1_000, mostMs: 15_000 } as const;

export interface KeeperOptions {
  readonly log: Log;
  readonly settings: Readonly<Record<string, string>>;
  readonly isDurable: boolean;
  readonly place: Place;
  readonly data: string;
  readonly password: string;
}

/** Holds the cluster for this process: started or joined, revived when it dies, left at the end. */
export class Keeper {
  readonly #options: KeeperOptions;
  #hold: Hold | undefined;
  #running: Postmaster | undefined;
  readonly #stopping = new AbortController();
  #reviving: Promise<void> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get running(): Postmaster {
    if (!this.#running) throw new EmbeddedFailure('start_failed', 'The database is not running.');
    return this.#running;
  }

  url(name: string, password: string, database: string): string {
    const { port } = this.running;
    const socketFolder = socketFolderOf(this.#options.place);
    const query = socketFolder ? `?host=${encodeURIComponent(socketFolder)}` : '';
    return `postgresql://${name}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}${query}`;
  }

  /** Joins the running server or starts one. True: it was running. */
  async acquire(): Promise<boolean> {
    const { data } = this.#options;
    const deadline = Date.now() + acquireTimeoutMs;
    let failures = 0;
    let isStartedByUs = false;
    for (;;) {
      const found = await readPostmaster(data);
      if (found && (await isPostgresAlive(found.pid))) {
        if (await this.#join(found)) return !isStartedByUs;
        await delay(askAgainMs);
      } else {
        try {
          await this.#start(found?.port);
          isStartedByUs = true;
        } catch (error) {
          const isHeld = error instanceof EmbeddedFailure && error.code === 'still_held';
          failures += isHeld ? 0 : 1;
          if (failures >= startAttempts || (isHeld && Date.now() > deadline)) throw error;
          await delay(retryMs);
        }
      }
      if (Date.now() > deadline) {
        throw new EmbeddedFailure('start_failed', `The database in ${data} runs but has not answered for 60 seconds.`);
      }
    }
  }

  /** On the connection of our hold: short work, for which no other need be made. */
  asSuperuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    if (!this.#hold) throw new EmbeddedFailure('start_failed', 'The database has gone away while it was being opened.');
    return work(this.#hold.client);
  }

  async stop(): Promise<boolean> {
    this.#stopping.abort();
    await this.#reviving;
    const hold = this.#hold;
    this.#hold = undefined;
    if (!hold) return true;
    const isLast = await hold.leave().catch(() => this.#isGone());
    if (!isLast) return false;
    await stopPostmaster(this.#options.place, this.#options.data, 'fast');
    hold.drop();
    return true;
  }

  async #join(found: Postmaster): Promise<boolean> {
    const { place, data, password } = this.#options;
    const host = socketFolderOf(place) ?? '127.0.0.1';
    const hold = await takeHold({ host, port: found.port, password }, data, () => this.#revive());
    if (!hold) return false;
    this.#hold = hold;
    this.#running = found;
    return true;
  }

  async #start(notedPort: number | undefined): Promise<void> {
    const { place, data, isDurable } = this.#options;
    // Whoever was given our URL must find the revived server there.
    const portInUse = this.#running?.port;
    const port = await choosePort(portInUse ?? notedPort);
    if (portInUse !== undefined && port !== portInUse) {
      throw new EmbeddedFailure('still_held', `The database's port ${portInUse} was taken by another program.`);
    }
    await startPostmaster(place, data, { port, isDurable, settings: this.#options.settings });
  }

  #revive(): void {
    if (this.#stopping.signal.aborted || this.#reviving) return;
    this.#hold = undefined;
    this.#options.log.error({ data: this.#options.data }, 'the database has gone away; starting it again');
    this.#reviving = this.#untilBack().finally(() => {
      this.#reviving = undefined;
    });
  }

  /** However long it takes: a disk that is full has room again one day, and nobody but us would start it then. */
  async #untilBack(): Promise<void> {
    const { log, data } = this.#options;
    const { signal } = this.#stopping;
    for (let pauseMs: number = revivalPause.firstMs; ; pauseMs = Math.min(pauseMs * 2, revivalPause.mostMs)) {
      try {
        await this.acquire();
        return log.warn({ data }, 'the database is back');
      } catch (error) {
        log.error({ error: String(error), againInMs: pauseMs }, 'the database could not be started again');
      }
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  /** The connection broke while leaving: stop only what is certainly not used by anyone. */
  async #isGone(): Promise<boolean> {
    const found = await readPostmaster(this.#options.data);
    return !found || !(await isPostgresAlive(found.pid));
  }
}
