/** The master key of a server that was given none: made once, kept in the data folder, readable by its owner only. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { keyBytes, keyText } from './keyring.ts';

export const keyFileName = 'master.key';

export class KeyFileUnsafe extends Error {
  override readonly name = 'KeyFileUnsafe';
}

/**
 * The text of the key file in `dataFolder`, for `parseKeyring`; makes folder and file where missing. Of several
 * processes that start at once all get the same key. Throws KeyFileUnsafe, one line, when others may read the file.
 */
export async function loadOrMakeKey(dataFolder: string): Promise<string> {
  const path = join(dataFolder, keyFileName);
  return (await readKey(path)) ?? (await makeKey(dataFolder, path));
}

/**
 * Puts a new key before those of the file: it seals from now on, the others still open what they sealed. Gives the new
 * text. One at a time, which the caller sees to: of two at once, one key would be lost, and with it what it sealed.
 */
export async function addKey(dataFolder: string): Promise<string> {
  const path = join(dataFolder, keyFileName);
  const text = `${keyText(randomBytes(keyBytes))},${await loadOrMakeKey(dataFolder)}`;
  const draft = await writeDraft(path, text);
  try {
    await rename(draft, path);
    await syncFolder(dataFolder);
  } finally {
    await rm(draft, { force: true });
  }
  return text;
}

async function readKey(path: string): Promise<string | null> {
  let mode: number;
  try {
    mode = (await stat(path)).mode & 0o777;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  // Windows has no such mode bits; the folder's own rights protect the file there.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new KeyFileUnsafe(`${path} is open to others (mode 0${mode.toString(8)}): run chmod 600 ${path}`);
  }
  return (await readFile(path, 'utf8')).trim();
}

/** Written and synced beside its place first and then linked there, which fails if another process was quicker. */
async function makeKey(dataFolder: string, path: string): Promise<string> {
  // The database's own user must be able to pass through; the key file itself is the owner's alone.
  await mkdir(dataFolder, { recursive: true, mode: 0o711 });
  const draft = await writeDraft(path, keyText(randomBytes(keyBytes)));
  try {
    await linkUnlessThere(draft, path);
    await syncFolder(dataFolder);
  } finally {
    await rm(draft, { force: true });
  }
  return (await readKey(path))!;
}

async function writeDraft(path: string, text: string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

/** The name too must outlast a power cut: values sealed by a key that is gone are gone themselves. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function linkUnlessThere(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
