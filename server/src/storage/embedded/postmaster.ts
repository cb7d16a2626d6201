import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { lastLines } from './cluster-folder.ts';
import { EmbeddedFailure } from './failures.ts';
import type { Place } from './place.ts';
import { type Outcome, runAs } from './run-as.ts';

/** What `postmaster.pid` says of a running (or killed) server. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string | undefined;
}

const maxLogBytes = 10 * 1024 * 1024;

/** A socket's path may have 107 bytes; `.s.PGSQL.65535` takes 15 of them. */
const maxSocketFolderBytes = 90;

const settings = {
  // Three processes with all roles: each takes up to sixty.
  max_connections: '200',
  shared_buffers: '128MB',
  effective_cache_size: '512MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  max_wal_size: '1GB',
  min_wal_size: '128MB',
  wal_compression: 'on',
  checkpoint_timeout: '5min',
  random_page_cost: '1.1',
  // A plan that was made while a table was empty is kept until its statistics change: not for a whole minute.
  autovacuum_naptime: '5s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] %u ',
} as const;

const durable = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' } as const;
const careless = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
} as const;

export interface StartOptions {
  readonly port: number;
  readonly isDurable: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid, , , port, socketFolder] = text.split('\n');
  if (!Number(pid) || !Number(port)) return undefined;
  return { pid: Number(pid), port: Number(port), socketFolder: socketFolder?.trim() || undefined };
}

/**
 * True when the process of the pid file lives and is a Postgres; elsewhere than on Linux a living pid is believed. A
 * killed server that nobody has reaped (in a container whose first process does not) is dead, though its pid answers.
 */
export async function isPostgresAlive(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, command, state] = /^\d+ \((.*)\) (\w)/s.exec(status) ?? [];
  return command === 'postgres' && state !== 'Z' && state !== 'X';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The children of a killed server hold its shared memory and its sockets for a moment; or another process was quicker. */
const heldMessage = /shared memory block|could not bind|could not create any|lock file ".*" already exists/i;

/**
 * Only one start at a time: two that find the same dead `postmaster.pid` would each remove it, and the second removes what
 * the first has written. PostgreSQL's own check has the same gap. Every process of the server inherits the lock, so it is
 * held as long as one of them lives, and nothing stale can remain. Where there is no `flock`, or none that works on this file
 * system (its status for a lock that another has is 1), PostgreSQL's check alone counts.
 * Arguments: the lock's file, pairs of a file and the dead pid in it, `--`, the command.
 */
const startAlone = `
exec 9>>"$1" || exit 1
shift
if command -v flock >/dev/null 2>&1; then flock -n 9; [ $? -eq 1 ] && exit 75; fi
while [ "$1" != -- ]; do
  if [ -f "$1" ] && read -r pid < "$1" && [ "$pid" = "$2" ]; then rm -f "$1"; fi
  shift 2
done
shift
exec "$@"`;
const heldStatus = 75;

/** `pg_ctl start`, waiting until the server takes connections. One try; the reason of a failure is in the error. */
export async function startPostmaster(place: Place, data: string, options: StartOptions): Promise<void> {
  const logFile = join(place.folder, 'postgres.log');
  await turnLog(logFile);
  const command = ['start', '-D', data, '-l', logFile, '-w', '-t', '60', '-o', serverFlags(place, options)];
  const outcome = await startWith(place, data, command);
  if (outcome.status === 0) return;
  if (outcome.status === heldStatus) throw new EmbeddedFailure('still_held', `Another start of ${data} is under way.`);
  const said = await readFile(logFile, 'utf8').catch(() => '');
  const reason = lastLines(said.trim()) || lastLines(outcome.output);
  throw new EmbeddedFailure(
    heldMessage.test(reason) ? 'still_held' : 'start_failed',
    `The database did not start (see ${logFile}): ${reason}`,
  );
}

async function startWith(place: Place, data: string, command: readonly string[]): Promise<Outcome> {
  const { user, binaries, folder } = place;
  if (process.platform === 'win32') return runAs(user, binaries.pgCtl, command);
  const dead = await findDeadLocks(place, data);
  const lock = join(folder, 'start.lock');
  return runAs(user, '/bin/sh', ['-c', startAlone, 'sh', lock, ...dead, '--', binaries.pgCtl, ...command]);
}

/** `pg_ctl stop -m fast`: open transactions are rolled back, everything is on disk when it returns. */
export async function stopPostmaster(place: Place, data: string, mode: 'fast' | 'immediate'): Promise<void> {
  const running = await readPostmaster(data);
  if (!running || !(await isPostgresAlive(running.pid))) return;
  const outcome = await runAs(place.user, place.binaries.pgCtl, ['stop', '-D', data, '-m', mode, '-w', '-t', '60']);
  if (outcome.status === 0 || !(await isPostgresAlive(running.pid))) return;
  throw new EmbeddedFailure('stop_failed', `The database did not stop: ${lastLines(outcome.output)}`);
}

export function socketFolderOf(place: Place): string | undefined {
  const folder = join(place.folder, 'run');
  if (process.platform === 'win32' || Buffer.byteLength(folder) > maxSocketFolderBytes) return undefined;
  return folder;
}

/** The port used before when it is free, for whoever noted it down; else one the system gives. */
export async function choosePort(preferred: number | undefined): Promise<number> {
  if (preferred && (await tryPort(preferred))) return preferred;
  const given = await tryPort(0);
  if (given) return given;
  throw new EmbeddedFailure('start_failed', 'There is no free port on 127.0.0.1 for the database.');
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}

function serverFlags(place: Place, options: StartOptions): string {
  const all: Record<string, string> = {
    ...settings,
    ...(options.isDurable ? durable : careless),
    ...options.settings,
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: socketFolderOf(place) ?? '',
  };
  // pg_ctl hands the text to a shell.
  return Object.entries(all)
    .map(([name, value]) => `-c ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join(' ');
}

/**
 * Postgres believes a lock file whose pid answers: one that another program has since a restart of the machine, or that of
 * a killed server which nobody has reaped. Those are to be removed; the shared memory still tells of children that live.
 * Pairs of a file and the pid in it.
 */
async function findDeadLocks(place: Place, data: string): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const run = join(place.folder, 'run');
  const sockets = (await readdir(run)).filter((name) => name.endsWith('.lock')).map((name) => join(run, name));
  const dead: string[] = [];
  for (const file of [join(data, 'postmaster.pid'), ...sockets]) {
    const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
    if (pid && !(await isPostgresAlive(pid))) dead.push(file, String(pid));
  }
  return dead;
}

async function turnLog(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found && found.size > maxLogBytes) await rename(file, `${file}.1`);
}
