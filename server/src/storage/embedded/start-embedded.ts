import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '#kernel';
import { hasCode } from './binaries.ts';
import { ensureCluster, keepPassword, superuserName } from './cluster-folder.ts';
import { EmbeddedFailure } from './failures.ts';
import { type Hold, takeHold } from './hold.ts';
import { chooseOsUser } from './os-user.ts';
import { databaseName, ensureOwnerAndDatabase, ownerName, ownerPassword } from './owner-store.ts';
import { choosePlace, type Place } from './place.ts';
import {
  choosePort,
  isPostgresAlive,
  type Postmaster,
  readPostmaster,
  socketFolderOf,
  startPostmaster,
  stopPostmaster,
} from './postmaster.ts';

export interface EmbeddedOptions {
  /** The data folder (SWITCHYARD_DATA); the cluster lies in `postgres` inside it. */
  readonly folder: string;
  readonly log: Log;
  /** false: no fsync, for tests of rooms only; `openDatabase` refuses such a server. */
  readonly isDurable?: boolean;
  /** Settings of the server beyond ours, such as `max_connections`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The server died and could not be started again. Without it the reason is only in the log. */
  readonly onLost?: (reason: unknown) => void;
}

/** A running cluster and our hold on it. */
export interface EmbeddedCluster {
  /** The owner's log-in on the database `switchyard`. */
  readonly ownerUrl: string;
  /** From which the passwords of the other log-ins are derived. */
  readonly roleSecret: string;
  /** The superuser on any database: for tests and rescue, never for the server's work. */
  superuserUrl(database: string): string;
  /** True when a server was found running: another process's, or one that a killed process left behind. */
  readonly wasFound: boolean;
  readonly pid: number;
  readonly port: number;
  readonly dataFolder: string;
  readonly binariesFolder: string;
  readonly osUser: string | undefined;
  /** Gives the hold back; the last user stops the server, cleanly. False: others still use it. */
  stop(): Promise<boolean>;
}

const startAttempts = 3;
const retryMs = 200;
const askAgainMs = 50;
const acquireTimeoutMs = 60_000;

/**
 * Starts the embedded PostgreSQL of a data folder, or joins the one that runs. While we hold it, a server that dies is
 * started again on the same port. Throws EmbeddedFailure with one clear line.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedCluster> {
  const isDurable = options.isDurable ?? true;
  const { place, password, data } = await prepareFolders(options, isDurable).catch(explainFolder);
  const keeper = new Keeper({ ...options, isDurable, place, data, password });
  const wasFound = await keeper.acquire();
  const urlOf = (name: string, secret: string, database: string) => keeper.url(name, secret, database);
  const owner = ownerPassword(password);
  try {
    await ensureOwnerAndDatabase(urlOf(superuserName, password, 'postgres'), owner);
  } catch (error) {
    await keeper.stop();
    throw error;
  }
  const { pid, port } = keeper.running;
  return {
    ownerUrl: urlOf(ownerName, owner, databaseName),
    roleSecret: password,
    superuserUrl: (database) => urlOf(superuserName, password, database),
    wasFound,
    pid,
    port,
    dataFolder: data,
    binariesFolder: place.binaries.folder,
    osUser: place.user?.name,
    stop: () => keeper.stop(),
  };
}

async function prepareFolders(options: EmbeddedOptions, isDurable: boolean) {
  const user = await chooseOsUser();
  const place = await choosePlace(options.folder, user, options.log);
  const password = await keepPassword(options.folder);
  const data = await ensureCluster(place, { password, isDurable });
  return { place, password, data };
}

/** A folder of another user, a full or a read-only disk: said in one line. */
function explainFolder(error: unknown): never {
  const isOfFolder = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'].some((code) => hasCode(error, code));
  if (!isOfFolder || !(error instanceof Error)) throw error;
  throw new EmbeddedFailure('no_place', `The data folder cannot be used: ${error.message}`, { cause: error });
}

interface KeeperOptions extends EmbeddedOptions {
  readonly isDurable: boolean;
  readonly place: Place;
  readonly data: string;
  readonly password: string;
}

/** Holds the cluster for this process: started or joined, revived when it dies, left at the end. */
class Keeper {
  readonly #options: KeeperOptions;
  #hold: Hold | undefined;
  #running: Postmaster | undefined;
  #isStopping = false;
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

  async stop(): Promise<boolean> {
    this.#isStopping = true;
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
    await startPostmaster(place, data, { port, isDurable, settings: this.#options.settings ?? {} });
  }

  #revive(): void {
    if (this.#isStopping || this.#reviving) return;
    this.#hold = undefined;
    this.#options.log.error({ data: this.#options.data }, 'the database has gone away; starting it again');
    this.#reviving = this.acquire()
      .then(
        () => this.#options.log.warn({ data: this.#options.data }, 'the database is back'),
        (error: unknown) => {
          this.#options.log.error({ error: String(error) }, 'the database could not be started again');
          this.#options.onLost?.(error);
        },
      )
      .finally(() => {
        this.#reviving = undefined;
      });
  }

  /** The connection broke while leaving: stop only what is certainly not used by anyone. */
  async #isGone(): Promise<boolean> {
    const found = await readPostmaster(this.#options.data);
    return !found || !(await isPostgresAlive(found.pid));
  }
}
