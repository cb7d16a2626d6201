import { randomBytes, randomUUID } from 'node:crypto';
import { chown, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, majorVersionOf } from './binaries.ts';
import { EmbeddedFailure } from './failures.ts';
import { keepOnce, syncFolder } from './keep-once.ts';
import { dataOf, type Place } from './place.ts';
import { runAs } from './run-as.ts';

/** The cluster's superuser, known to the launcher only. */
export const superuserName = 'postgres';

/** The superuser's password: random, in a file only its owner may read. */
export function keepPassword(dataFolder: string): Promise<string> {
  return keepOnce(join(dataFolder, 'postgres-password'), () => randomBytes(24).toString('base64url'), 0o600);
}

const abandonedMs = 10 * 60_000;

export interface MakeOptions {
  readonly password: string;
  readonly isDurable: boolean;
}

/** Makes the cluster when there is none; refuses one of another major version. Gives the data folder. */
export async function ensureCluster(place: Place, options: MakeOptions): Promise<string> {
  const data = dataOf(place.folder);
  const found = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (found === undefined) {
    await makeCluster(place, data, options);
    return data;
  }
  const ours = await majorVersionOf(place.binaries);
  if (Number(found) === ours) return data;
  throw new EmbeddedFailure(
    'other_major_version',
    `The data folder ${data} was made by PostgreSQL ${found.trim()}; this program brings PostgreSQL ${ours} and leaves it untouched.`,
  );
}

/** initdb in a folder beside, then one rename: an initdb that was killed leaves nothing that looks like a cluster. */
async function makeCluster(place: Place, data: string, options: MakeOptions): Promise<void> {
  await sweepRemains(place.folder);
  const making = `${data}.making-${randomUUID()}`;
  const passwordFile = join(place.folder, `initial-password-${randomUUID()}`);
  await writeFile(passwordFile, options.password, { mode: 0o600 });
  if (place.user) await chown(passwordFile, place.user.uid, place.user.gid);
  try {
    await runInitdb(place, making, passwordFile, options);
    await rename(making, data).catch((error: unknown) => {
      // Another process made it in the same moment; its cluster has the same password.
      if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error;
    });
    await syncFolder(place.folder);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(making, { recursive: true, force: true });
  }
}

async function runInitdb(place: Place, folder: string, passwordFile: string, options: MakeOptions): Promise<void> {
  const flags = [
    `--pgdata=${folder}`,
    `--username=${superuserName}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    // The order of text is then Postgres's own and does not change under the indexes with the system's libc.
    '--locale-provider=builtin',
    '--data-checksums',
    ...(options.isDurable ? [] : ['--no-sync']),
  ];
  const outcome = await runAs(place.user, place.binaries.initdb, flags);
  if (outcome.status === 0) return;
  throw new EmbeddedFailure(
    'initdb_failed',
    `The database could not be made in ${folder}: ${lastLines(outcome.output)}`,
  );
}

/** What an initdb that was killed left behind; a younger one may still be at work. */
async function sweepRemains(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^(?:data\.making|initial-password)-/.test(name));
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (!found || Date.now() - found.mtimeMs < abandonedMs) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

export function lastLines(output: string): string {
  return output.split('\n').slice(-4).join(' | ');
}
