/** Database, engines and sealing, opened as the settings say: what every command and every role of the server stands on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, WrongSetting } from '#config';
import { type Clock, type Log, systemClock } from '#kernel';
import {
  createKeyFileSealer,
  createPostgresEngines,
  createRedisEngines,
  createSealer,
  DatabaseRefused,
  type Engines,
  ensureRoles,
  loadOrMakeKey,
  migrate,
  openDatabase,
  parseKeyring,
  prepareJobs,
  type RoleUrls,
  roleNames,
  type Sealer,
  type Storage,
  StorageUnavailable,
  startEmbedded,
} from '#storage';

export interface OwnerDatabase {
  /** The owner's log-in: migrations, partitions, nothing else. */
  readonly ownerUrl: string;
  readonly roleUrls: RoleUrls;
  readonly kind: 'embedded' | 'external';
  /** Where the embedded one lies; null: it is elsewhere. */
  readonly dataFolder: string | null;
  close(): Promise<void>;
}

/** Starts or joins the embedded database, or takes the one in the settings; makes or checks the roles. */
export async function openOwnerDatabase(config: Config, log: Log): Promise<OwnerDatabase> {
  const masterKey = await loadMasterKey(config);
  if (config.databaseUrl) {
    const given = Object.fromEntries(Object.entries(config.roleUrls).filter(([, url]) => url !== undefined));
    const wanted = { ownerUrl: config.databaseUrl, secret: roleSecretOf(masterKey), given };
    const roleUrls = await ensureRoles(wanted).catch((error: unknown) => explainUnreachable(config, error));
    return { ownerUrl: config.databaseUrl, roleUrls, kind: 'external', dataFolder: null, close: async () => {} };
  }
  const cluster = await startEmbedded({ folder: config.dataFolder, log });
  try {
    const roleUrls = await ensureRoles({ ownerUrl: cluster.superuserUrl('switchyard'), secret: cluster.roleSecret });
    return {
      ...{ ownerUrl: cluster.ownerUrl, roleUrls, kind: 'embedded', dataFolder: cluster.dataFolder },
      close: async () => void (await cluster.stop()),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Which database, by which setting; without the password that stands in its URL. */
function explainUnreachable(config: Config, error: unknown): never {
  if (!(error instanceof StorageUnavailable)) throw error;
  const { hostname, port, pathname } = new URL(config.databaseUrl ?? '');
  const reason = error.message.replace('the database could not be asked: ', '');
  throw new DatabaseRefused(
    'unreachable',
    `no database to be had at ${hostname}:${port || 5432}${pathname} (${config.origins.databaseUrl}): ${reason}`,
    { cause: error },
  );
}

/** Throws one clear line when there is no reading it; asked first, so that a wrong key starts nothing. */
async function loadMasterKey(config: Config): Promise<string> {
  const text = config.masterKey ?? (await loadOrMakeKey(config.dataFolder).catch(explainFolder(config.dataFolder)));
  parseKeyring(text);
  return text;
}

function explainFolder(dataFolder: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new WrongSetting(`SWITCHYARD_DATA: the folder ${dataFolder} cannot be used: ${error.message}`);
  };
}

/** The oldest key: a rotation puts a new one before it, and the log-ins of running servers must go on. */
function roleSecretOf(masterKey: string): string {
  return masterKey.split(',').at(-1)?.trim() ?? '';
}

function openSealer(config: Config, masterKey: string): Sealer {
  if (config.masterKey) return createSealer(parseKeyring(masterKey));
  return createKeyFileSealer(config.dataFolder, masterKey, systemClock.elapsedMs);
}

export interface Foundation {
  readonly owner: OwnerDatabase;
  readonly storage: Storage;
  readonly engines: Engines;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  close(): Promise<void>;
}

/** Also brings the schema to the newest migration. What was opened is closed again when a later step refuses. */
export async function openFoundation(config: Config, log: Log): Promise<Foundation> {
  const owner = await openOwnerDatabase(config, log);
  const closers: (() => Promise<void>)[] = [owner.close];
  const close = async () => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    await migrate({ ownerUrl: owner.ownerUrl });
    await prepareJobs(owner.ownerUrl, Object.values(roleNames));
    const storage = await openDatabase({ urls: owner.roleUrls, log });
    closers.push(storage.close);
    const engines = await openEngines(config, owner.roleUrls.app, log);
    closers.push(engines.close);
    const sealer = openSealer(config, await loadMasterKey(config));
    return { owner, storage, engines, sealer, clock: systemClock, log, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function openEngines(config: Config, connectionString: string, log: Log): Promise<Engines> {
  const options = { connectionString, log };
  return config.redisUrl
    ? createRedisEngines({ ...options, redisUrl: config.redisUrl })
    : createPostgresEngines(options);
}

/** The version this program is, for pages and logs. */
export async function readVersion(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
