/**
 * The data folder of a stage as it is before the first webhook, kept to be copied: making a cluster, its schema and the
 * shops takes most of a stage's time, and is the same each time. Whoever names the folder (`--template`) removes it; runs
 * that use it are of the same checkout.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WrongUse } from '../asked.ts';
import type { Shop } from './shops.ts';

const run = promisify(execFile);

/** Beside the data: what the database does not tell of the shops, their secrets. */
const shopsFile = 'shops.json';
const makingPrefix = 'making-';

export interface Template {
  readonly folder: string;
}

/** Throws WrongUse for a folder that cannot be made, or holds anything but a template. */
export async function openTemplate(folder: string | undefined): Promise<Template | null> {
  if (folder === undefined) return null;
  const held = await openFolder(folder).catch((error: Error) => {
    throw new WrongUse(`--template ${folder}: ${error.message}`);
  });
  const others = held.filter((name) => name !== 'data' && !name.startsWith(makingPrefix));
  const isStrange = others.length > 0 || (held.includes('data') && !existsSync(join(folder, 'data', shopsFile)));
  if (isStrange) throw new WrongUse(`--template ${folder} holds something else; name an empty folder`);
  return { folder };
}

async function openFolder(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  return readdir(folder);
}

/** The shops; null: nothing is kept yet. `into` is the data folder of a stage, with no database started in it. */
export async function copyFrom({ folder }: Template, into: string): Promise<Shop[] | null> {
  const kept = join(folder, 'data');
  if (!existsSync(kept)) return null;
  await run('cp', ['-a', '--reflink=auto', `${kept}/.`, into]);
  return JSON.parse(await readFile(join(into, shopsFile), 'utf8')) as Shop[];
}

/** From a stage whose database is stopped. Another run may do the same at this moment: the first counts. */
export async function keepIn({ folder }: Template, from: string, shops: readonly Shop[]): Promise<void> {
  // Where the database's user cannot enter the folder its data lies elsewhere, and there is nothing here to copy.
  if (existsSync(join(from, 'postgres-place.txt'))) return;
  await writeFile(join(from, shopsFile), JSON.stringify(shops));
  const making = join(folder, `${makingPrefix}${randomUUID()}`);
  await run('cp', ['-a', '--reflink=auto', from, making]);
  await rename(making, join(folder, 'data')).catch(() => rm(making, { recursive: true, force: true }));
}
