import type { Log } from '#kernel';
import { hasCode } from './binaries.ts';
import { ensureCluster, keepPassword, superuserName } from './cluster-folder.ts';
import { EmbeddedFailure } from './failures.ts';
import { Keeper } from './keeper.ts';
import { chooseOsUser } from './os-user.ts';
import { databaseName, ensureOwnerAndDatabase, ownerName, ownerPassword } from './owner-store.ts';
import { choosePlace, dataOf } from './place.ts';
import { findServingPlace } from './serving-place.ts';

export interface EmbeddedOptions {
  /** The data folder (SWITCHYARD_DATA); the cluster lies in `postgres` inside it. */
  readonly folder: string;
  readonly log: Log;
  /** false: no fsync, for tests of rooms only; `openDatabase` refuses such a server. */
  readonly isDurable?: boolean;
  /** Settings of the server beyond ours, such as `max_connections`. */
  readonly settings?: Readonly<Record<string, string>>;
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

/**
 * Starts the embedded PostgreSQL of a data folder, or joins the one that runs. While we hold it, a server that dies is
 * started again on the same port, again and again until it runs. Throws EmbeddedFailure with one clear line.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedCluster> {
  const isDurable = options.isDurable ?? true;
  const { place, password, data } = await prepareFolders(options, isDurable).catch(explainFolder);
  const keeper = new Keeper({
    log: options.log,
    settings: options.settings ?? {},
    isDurable,
    place,
    data,
    password,
  });
  const wasFound = await keeper.acquire();
  const urlOf = (name: string, secret: string, database: string) => keeper.url(name, secret, database);
  const owner = ownerPassword(password);
  try {
    await keeper.asSuperuser((client) => ensureOwnerAndDatabase(client, owner));
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
  const serving = await findServingPlace(options.folder, user);
  const place = serving ?? (await choosePlace(options.folder, user, options.log));
  const password = await keepPassword(options.folder);
  const data = serving ? dataOf(serving.folder) : await ensureCluster(place, { password, isDurable });
  return { place, password, data };
}

/** A folder of another user, a full or a read-only disk: said in one line. */
function explainFolder(error: unknown): never {
  const isOfFolder = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'].some((code) => hasCode(error, code));
  if (!isOfFolder || !(error instanceof Error)) throw error;
  throw new EmbeddedFailure('no_place', `The data folder cannot be used: ${error.message}`, { cause: error });
}
