import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Log } from '#kernel';
import { type Binaries, copyBinaries, findBinaries, repairLinks } from './binaries.ts';
import { EmbeddedFailure } from './failures.ts';
import { keepOnce } from './keep-once.ts';
import { type OsUser, runAs } from './run-as.ts';

/** Where a cluster and its programs lie. `folder` holds `data`, `run` (the socket) and `postgres.log`. */
export interface Place {
  readonly binaries: Binaries;
  readonly folder: string;
  readonly user: OsUser | undefined;
}

/** Beside the password: where root's data went instead. */
export const placeNote = (dataFolder: string) => join(dataFolder, 'postgres-place.txt');

/** The cluster itself. */
export const dataOf = (folder: string) => join(folder, 'data');

/** Where root puts what its database's user cannot reach in root's own folders. */
const sharedFolder = '/var/lib/switchyard';

/**
 * Decides where programs and data go. Normally: the programs in node_modules, the data in `<dataFolder>/postgres`. When
 * root runs us and the database's user cannot enter those (a home directory of mode 0700), copies of the programs and
 * the data go to /var/lib/switchyard; a line of the log and `<dataFolder>/postgres-place.txt` say so.
 */
export async function choosePlace(dataFolder: string, user: OsUser | undefined, log: Log): Promise<Place> {
  await mkdir(dataFolder, { recursive: true, mode: 0o755 });
  const real = await realpath(dataFolder);
  const binaries = await reachableBinaries(real, user, log);
  const folder = await reachableFolder(real, user, log);
  await mkdir(join(folder, 'run'), { recursive: true, mode: 0o700 });
  if (user) await chown(join(folder, 'run'), user.uid, user.gid);
  return { binaries, folder, user };
}

async function reachableBinaries(dataFolder: string, user: OsUser | undefined, log: Log): Promise<Binaries> {
  const packaged = await findBinaries();
  const isWhole = await repairLinks(packaged.folder);
  if (isWhole && (await canRun(user, packaged.postgres))) return packaged;
  const target = copyTarget(dataFolder, user, packaged, await packageVersion(packaged.folder));
  const copy = await copyBinaries(packaged, target);
  if (!(await canRun(user, copy.postgres))) {
    throw new EmbeddedFailure(
      'no_place',
      `The copy of PostgreSQL in ${target} does not run as ${user?.name ?? 'you'}.`,
    );
  }
  log.info({ binaries: target }, 'PostgreSQL runs from a copy, since its own folder cannot be used');
  return copy;
}

export function copyTarget(
  dataFolder: string,
  user: OsUser | undefined,
  { folder }: Binaries,
  version: string,
): string {
  return join(user ? sharedFolder : dataFolder, `${basename(folder)}-${version}`);
}

/** True when the program starts: tells unreachable folders and missing libraries alike. */
async function canRun(user: OsUser | undefined, program: string): Promise<boolean> {
  const outcome = await runAs(user, program, ['--version']).catch(() => ({ status: null }));
  return outcome.status === 0;
}

export async function packageVersion(folder: string): Promise<string> {
  const described: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const version = described && typeof described === 'object' && 'version' in described ? described.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}

async function reachableFolder(dataFolder: string, user: OsUser | undefined, log: Log): Promise<string> {
  const usual = join(dataFolder, 'postgres');
  await makeFolder(usual, user);
  if (!user || (await canEnter(user, usual))) return usual;
  // Noted beside the password, and random: a new data folder of the same name must not find an old one's database.
  const moved = await keepOnce(placeNote(dataFolder), () => join(sharedFolder, randomBytes(8).toString('hex')), 0o644);
  await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
  await makeFolder(moved, user);
  if (!(await canEnter(user, moved))) {
    throw new EmbeddedFailure('no_place', `The system user "${user.name}" can enter neither ${usual} nor ${moved}.`);
  }
  log.info(
    { folder: moved, insteadOf: usual },
    `the database lies in ${moved}: its user "${user.name}" cannot enter ${dataFolder}`,
  );
  return moved;
}

async function makeFolder(folder: string, user: OsUser | undefined): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (user) await chown(folder, user.uid, user.gid);
}

async function canEnter(user: OsUser, folder: string): Promise<boolean> {
  const outcome = await runAs(user, '/bin/sh', ['-c', 'cd "$1" && test -w .', 'sh', folder]);
  return outcome.status === 0;
}
