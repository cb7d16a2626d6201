/** The console's pages: built at a start when their sources have changed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#kernel';

const home = join(import.meta.dirname, '..', '..', '..', '..');

/** A console that cannot be built is logged; the rest of the server works without it. */
export async function buildConsole(log: Log): Promise<void> {
  const vite = join(home, 'node_modules', 'vite', 'bin', 'vite.js');
  if (!existsSync(vite) || !(await isConsoleStale())) return;
  log.info({}, 'building the console');
  const child = spawn(process.execPath, [vite, 'build', 'console', '--logLevel', 'warn'], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) log.error({ code }, 'the console could not be built; the API works without it');
}

/** Its sources are newer than what is built, or nothing is built. */
export async function isConsoleStale(): Promise<boolean> {
  const built = join(home, 'console', 'dist', 'index.html');
  if (!existsSync(built)) return existsSync(join(home, 'console', 'index.html'));
  const builtAt = statSync(built).mtimeMs;
  for (const folder of ['console', 'contract/src']) {
    const entries = await readdir(join(home, folder), { recursive: true, withFileTypes: true });
    const sources = entries.filter((entry) => entry.isFile() && !/node_modules|dist/.test(entry.parentPath));
    if (sources.some((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs > builtAt)) return true;
  }
  return false;
}
