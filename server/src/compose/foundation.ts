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
  expectedRoleUrls,
  findPrepared,
  loadOrMakeKey,
  migrate,
  openDatabase,
  parseKeyring,
  prepareJobs,
  type RoleOptions,
  type RoleUrls,
  roleNames,
  type Sealer,
  type Storage,
  StorageUnavailable,
  startEmbedded,
} from '#storage';
import { closeInTime, type Deadline } from './deadline.ts';

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
  const started = await startDatabase(config, log);
  try {
    return { ...started, roleUrls: await makeRoles(config, started) };
  } catch (error) {
    await started.close();
    throw error;
  }
}

interface StartedDatabase extends Omit<OwnerDatabase, 'roleUrls'> {
  readonly roles: RoleOptions;
}

async function startDatabase(config: Config, log: Log): Promise<StartedDatabase> {
  const masterKey = await loadMasterKey(config);
  const ownerUrl = config.databaseUrl;
  if (ownerUrl) {
    const given = Object.fromEntries(Object.entries(config.roleUrls).filter(([, url]) => url !== undefined));
    const roles = { ownerUrl, secret: roleSecretOf(masterKey), given };
    return { ownerUrl, roles, kind: 'external', dataFolder: null, close: async () => {} };
  }
  const cluster = await startEmbedded({ folder: config.dataFolder, log });
  return {
    ownerUrl: cluster.ownerUrl,
    roles: { ownerUrl: cluster.superuserUrl('switchyard'), secret: cluster.roleSecret },
    kind: 'embedded',
    dataFolder: cluster.dataFolder,
    close: async () => void (await cluster.stop()),
  };
}

function makeRoles(config: Config, { roles, kind }: StartedDatabase): Promise<RoleUrls> {
  const made = ensureRoles(roles);
  return kind === 'external' ? made.catch((error: unknown) => explainUnreachable(config, error)) : made;
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
  /** With a deadline, what is still under way by then is left; an embedded database is stopped all the same. */
  close(deadline?: Deadline): Promise<void>;
}

/** Also brings the schema to the newest migration. What was opened is closed again when a later step refuses. */
export async function openFoundation(config: Config, log: Log): Promise<Foundation> {
  const started = await startDatabase(config, log);
  const closers: [string, () => Promise<void>][] = [];
  const close = async (deadline?: Deadline) => {
    await closeInTime(closers.reverse(), deadline, log);
    await started.close();
  };
  try {
    const { storage, roleUrls } = (await openPrepared(started, log)) ?? (await prepareAndOpen(config, started, log));
    closers.push(['storage', storage.close]);
    const engines = await openEngines(config, roleUrls.app, log);
    closers.push(['engines', engines.close]);
    const sealer = openSealer(config, await loadMasterKey(config));
    const owner = { ...started, roleUrls };
    return { owner, storage, engines, sealer, clock: systemClock, log, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenStorage {
  readonly storage: Storage;
  readonly roleUrls: RoleUrls;
}

/** The short way of most starts, and of all who were killed. Null: the long way is to be taken, and tells what is wrong. */
async function openPrepared({ ownerUrl, roles }: StartedDatabase, log: Log): Promise<OpenStorage | null> {
  const prepared = await findPrepared(ownerUrl, systemClock.now());
  if (!prepared) return null;
  const roleUrls = expectedRoleUrls(roles, prepared.database);
  try {
    return { storage: await openDatabase({ urls: roleUrls, log }), roleUrls };
  } catch {
    // A password that was changed, a right that was taken away: making the roles mends it, or says what it is.
    return null;
  }
}

async function prepareAndOpen(config: Config, started: StartedDatabase, log: Log): Promise<OpenStorage> {
  const roleUrls = await makeRoles(config, started);
  await migrate({ ownerUrl: started.ownerUrl });
  await prepareJobs(started.ownerUrl, Object.values(roleNames));
  return { storage: await openDatabase({ urls: roleUrls, log }), roleUrls };
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
