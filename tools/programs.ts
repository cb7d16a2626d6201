/** Programs that the tests drive and npm does not bring: taken from the machine, else fetched where that is allowed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const packages: Readonly<Record<string, string>> = { 'redis-server': 'redis-server', chromium: 'chromium' };

/** On the path. */
export function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Gives a line for each program that is missing and could not be had; empty when all are there. */
export function ensurePrograms(programs: readonly string[]): string[] {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return [];
  const names = missing.map((program) => packages[program] ?? program);
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) fetchPackages(names);
  return programs
    .filter((program) => !isThere(program))
    .map(
      (program) => `${program} is missing. Install it and run again: apt-get install ${packages[program] ?? program}`,
    );
}

/** Services that a package would start are kept from starting: the tests start their own. */
function fetchPackages(names: readonly string[]): void {
  console.log(`fetching ${names.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = ['install', '-y', '--no-install-recommends', ...names];
  if (spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env }).status !== 0)
    console.error('apt-get update failed');
  if (spawnSync('apt-get', install, { stdio: ['ignore', 'ignore', 'inherit'], env }).status !== 0)
    console.error('apt-get install failed');
}
