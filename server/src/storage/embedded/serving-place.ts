import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinaries, isThere, repairLinks } from './binaries.ts';
import { copyTarget, dataOf, type Place, packageVersion, placeNote } from './place.ts';
import { isPostgresAlive, readPostmaster } from './postmaster.ts';
import type { OsUser } from './run-as.ts';

/**
 * The place of a server that runs: folder and programs have proved themselves, and are not tried again, each by a program
 * of its own. Null: none runs there, or it is not as simple as that (another version, programs that were copied).
 */
export async function findServingPlace(dataFolder: string, user: OsUser | undefined): Promise<Place | null> {
  const real = await realpath(dataFolder).catch(() => null);
  if (real === null) return null;
  const folder = await readFile(placeNote(real), 'utf8').then(
    (text) => text.trim(),
    () => join(real, 'postgres'),
  );
  const running = await readPostmaster(dataOf(folder));
  if (!running || !(await isPostgresAlive(running.pid))) return null;
  const binaries = await findBinaries();
  const version = await packageVersion(binaries.folder);
  const made = await readFile(join(dataOf(folder), 'PG_VERSION'), 'utf8').catch(() => '');
  // They may be newer than the server: installed again while it ran.
  if (!(await repairLinks(binaries.folder))) return null;
  const isPlain =
    Number.parseInt(version, 10) === Number(made) && !(await isThere(copyTarget(real, user, binaries, version)));
  return isPlain ? { binaries, folder, user } : null;
}
