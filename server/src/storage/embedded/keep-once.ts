import { randomUUID } from 'node:crypto';
import { link, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './binaries.ts';

/**
 * The text of a file that is made once and then never changes. The link is atomic, so that two first starts at once agree
 * on one text and never read half of it; when this returns, it is on disk.
 */
export async function keepOnce(file: string, make: () => string, mode: number): Promise<string> {
  return (await readKept(file)) ?? (await keep(file, make, mode));
}

async function readKept(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function keep(file: string, make: () => string, mode: number): Promise<string> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, make(), { mode, flush: true });
  try {
    await link(draft, file);
    await syncFolder(dirname(file));
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readFile(file, 'utf8')).trim();
}

/** Puts new names and renames in a folder on disk; a power cut could otherwise undo them. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
