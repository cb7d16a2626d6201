/** Whatever ends this process (a signal, an error, Ctrl-C): what it started does not outlive it. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readText } from './read-text.ts';

const stillRunning = new Set<() => number | undefined>();
let isWatching = false;

/**
 * `findPid` is asked at the end for a child of ours; undefined: nothing to end. A long run outlives many of its children,
 * and their numbers pass to other programs: what is no child of ours by then is left alone.
 */
export function endWithUs(findPid: () => number | undefined): void {
  endAtLast(() => {
    const pid = findPid();
    return pid !== undefined && parentOf(pid) === process.pid ? pid : undefined;
  });
}

/** The same for what is nobody's child, such as a database: whoever finds its number makes sure that it is the right one. */
export function endAtLast(findPid: () => number | undefined): void {
  if (!isWatching) watch();
  stillRunning.add(findPid);
}

/**
 * For a run that is itself killed, and can end nothing: each process that it started stands in a file of its folder with
 * the moment of its start, so that a number which has passed to another program is left alone.
 */
export function noteStarted(folder: string, pid: number | undefined): void {
  const startedAt = pid === undefined ? null : startOf(pid);
  if (startedAt !== null) appendFileSync(join(folder, startedFile), `${pid} ${startedAt}\n`);
}

/** A folder for this run; what runs that were killed have left behind is ended and removed first. */
export function makeRunFolder(): string {
  for (const name of readdirSync(tmpdir())) {
    const [, runner, startedAt] = folderShape.exec(name) ?? [];
    if (runner && startedAt && startOf(Number(runner)) !== startedAt) removeLeftBehind(join(tmpdir(), name));
  }
  thinOut();
  const folder = mkdtempSync(join(tmpdir(), `switchyard-fault-${process.pid}-${startOf(process.pid)}-`));
  appendFileSync(join(folder, startedFile), '');
  return folder;
}

/** Of failed runs logs are kept, and the databases of the last few: a long run that fails often must not fill the disk. */
function thinOut(): void {
  const kept = readdirSync(tmpdir())
    .filter((name) => folderShape.test(name) && !existsSync(join(tmpdir(), name, startedFile)))
    .map((name) => join(tmpdir(), name))
    .toSorted((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  for (const folder of kept.slice(keptDatabases)) rmSync(join(folder, 'postgres'), { recursive: true, force: true });
}

const keptDatabases = 2;
const startedFile = 'started';
const folderShape = /^switchyard-fault-(\d+)-(\d+)-/;

function removeLeftBehind(folder: string): void {
  const isKept = !existsSync(join(folder, startedFile));
  // A failed run's logs are kept on purpose, and nothing of it runs.
  if (isKept) return;
  for (const line of readText(join(folder, startedFile)).split('\n').reverse()) {
    const [pid, startedAt] = line.split(' ');
    if (pid && startedAt && startOf(Number(pid)) === startedAt) end(Number(pid));
  }
  const postmaster = Number(readText(join(folder, 'postgres', 'data', 'postmaster.pid')).split('\n')[0]);
  if (postmaster && readText(`/proc/${postmaster}/cmdline`).includes(folder)) end(postmaster);
  // A small disk of the run's own; where none is mounted there is nothing to take away.
  if (existsSync(join(folder, 'disk.img'))) spawnSync('umount', [join(folder, 'postgres')]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** In ticks since the machine started; null: there is no such process. */
function startOf(pid: number): string | null {
  return statOf(pid)[19] ?? null;
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1]);
}

/** From the state on, the third field of `/proc/PID/stat`: names may hold blanks and brackets. */
function statOf(pid: number): readonly string[] {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function watch(): void {
  isWatching = true;
  process.once('exit', endAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
}

function endAll(): void {
  // The youngest first: a server that still ran would start its database again.
  for (const findPid of [...stillRunning].reverse()) {
    const pid = findPid();
    if (pid !== undefined) end(pid);
  }
}
