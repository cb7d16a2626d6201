import { spawnSync } from 'node:child_process';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Log, silentLog } from '#kernel';
import { type EmbeddedCluster, startEmbedded } from '#storage';
import { binariesIn, findBinaries, hasCode, majorVersionOf, repairLinks } from '../../src/storage/embedded/binaries.ts';
import { chooseOsUser } from '../../src/storage/embedded/os-user.ts';
import { isPostgresAlive, readPostmaster, startPostmaster } from '../../src/storage/embedded/postmaster.ts';
import { findServingPlace } from '../../src/storage/embedded/serving-place.ts';
import { startHolder } from '../support/holder.ts';

const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };

let root: string;
let folder: string;
let cleanUps: (() => Promise<unknown>)[];

/** A cluster made once: most tests begin with a copy of it, which takes a tenth of the time of making one. */
let made: string;

vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), `switchyard-test-${process.pid}-`));
  await chmod(made, 0o755);
  await (await startEmbedded({ folder: made, log: silentLog })).stop();
});
afterAll(() => rm(made, { recursive: true, force: true }));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), `switchyard-test-${process.pid}-`));
  await chmod(root, 0o755);
  folder = root;
  cleanUps = [];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  await rm(root, { recursive: true, force: true });
});

/** `cp -a` keeps the database's user as the owner of its files. */
function copyMade(): void {
  const { status, stderr } = spawnSync('cp', ['-a', `${made}/.`, folder], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
}

async function start(log: Log = silentLog): Promise<EmbeddedCluster> {
  const cluster = await startEmbedded({ folder, log });
  cleanUps.push(() => cluster.stop());
  return cluster;
}

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {
    // The server is killed in these tests; the statement says so.
  });
  await client.connect();
  try {
    const { rows } = await client.query({ text, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

/** pg_ctl returns when the pid file is gone; the process itself ends a moment later. */
function expectGone(pid: number): Promise<void> {
  return expect.poll(() => isPostgresAlive(pid), { timeout: 15_000 }).toBe(false);
}

/** A child may have ended by itself in between. */
function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

test('starts, keeps what was stored over a stop, and starts again', async () => {
  const first = await start();
  expect(first.wasFound).toBe(false);
  await ask(first.ownerUrl, 'CREATE TABLE kept AS SELECT 7 AS number');
  expect(await first.stop()).toBe(true);
  await expectGone(first.pid);

  const second = await start();
  expect(await ask(second.ownerUrl, 'SELECT number FROM kept')).toBe(7);
});

test('makes a durable, checksummed cluster in UTF-8 that asks for a password', async () => {
  const cluster = await start();
  for (const [setting, value] of [
    ['fsync', 'on'],
    ['full_page_writes', 'on'],
    ['synchronous_commit', 'on'],
    ['data_checksums', 'on'],
    ['server_encoding', 'UTF8'],
    ['TimeZone', 'UTC'],
  ]) {
    expect([setting, await ask(cluster.ownerUrl, `SHOW ${setting}`)]).toEqual([setting, value]);
  }
  const wrong = new URL(cluster.ownerUrl);
  wrong.password = 'password';
  await expect(ask(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  expect(await ask(cluster.ownerUrl, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toBe(false);
});

test('joins the server of another process; the last to leave stops it', async () => {
  copyMade();
  const other = await startHolder(folder);
  const ours = await start();
  expect(ours.wasFound).toBe(true);
  expect(ours.pid).toBe(other.said.pid);
  expect(await ours.stop()).toBe(false);
  expect(await isPostgresAlive(other.said.pid)).toBe(true);
  expect(await other.leave()).toBe(true);
  await expectGone(other.said.pid);
});

test('two first starts at once end with one server for both', async () => {
  const [one, two] = await Promise.all([startHolder(folder), startHolder(folder)]);
  expect(one.said.pid).toBe(two.said.pid);
  expect(await one.leave()).toBe(false);
  expect(await two.leave()).toBe(true);
});

test('adopts the server that a killed process left behind, and stops it at the end', async () => {
  copyMade();
  const killed = await startHolder(folder);
  await killed.kill();
  expect(await isPostgresAlive(killed.said.pid)).toBe(true);
  const cluster = await start();
  expect(cluster.wasFound).toBe(true);
  expect(cluster.pid).toBe(killed.said.pid);
  expect(await cluster.stop()).toBe(true);
  await expectGone(cluster.pid);
});

test.each(['the server only', 'the server and its children'])('starts again after kill -9 of %s', async (which) => {
  copyMade();
  const killed = await startHolder(folder);
  await killed.kill();
  const children = which === 'the server only' ? [] : await childrenOf(killed.said.pid);
  for (const pid of [...children, killed.said.pid]) killHard(pid);
  const cluster = await start();
  expect(cluster.wasFound).toBe(false);
  expect(await ask(cluster.ownerUrl, 'SELECT 1')).toBe(1);
});

test('revives a server that dies under us, at the same address', async () => {
  copyMade();
  const cluster = await start();
  process.kill(cluster.pid, 'SIGKILL');
  await expect.poll(() => ask(cluster.ownerUrl, 'SELECT 1').catch(() => 0), { timeout: 45_000 }).toBe(1);
  expect(await cluster.stop()).toBe(true);
});

test('goes on trying where a server that died cannot be started at first', async () => {
  copyMade();
  const said: unknown[] = [];
  const cluster = await start({ ...silentLog, error: (_facts: object, message?: string) => void said.push(message) });
  const control = join(cluster.dataFolder, 'global', 'pg_control');
  await rename(control, `${control}.away`);
  process.kill(cluster.pid, 'SIGKILL');
  await expect.poll(() => said, { timeout: 20_000 }).toContain('the database could not be started again');
  await rename(`${control}.away`, control);
  await expect.poll(() => ask(cluster.ownerUrl, 'SELECT 1').catch(() => 0), { timeout: 30_000 }).toBe(1);
  expect(await cluster.stop()).toBe(true);
});

test('of many starts at once over a killed server one starts it, and its place stays its own', async () => {
  copyMade();
  const { dataFolder, pid, port } = await start();
  const place = await findServingPlace(folder, await chooseOsUser());
  if (!place) throw new Error('it serves');
  // What a process does that looked a moment ago, when the server before this one was dead.
  const file = join(dataFolder, 'postmaster.pid');
  const own = await readFile(file, 'utf8');
  await writeFile(file, own.replace(String(pid), String(spawnSync('true').pid)));
  const again = () => startPostmaster(place, dataFolder, { port, isDurable: true, settings: {} });
  await expect(again()).rejects.toMatchObject({ code: 'still_held' });
  expect(await readFile(file, 'utf8')).not.toBe('');
  await writeFile(file, own);

  killHard(pid);
  await expectGone(pid);
  await Promise.allSettled([again(), again(), again(), again()]);
  const found = await vi.waitUntil(() => readPostmaster(dataFolder), 20_000);
  await expect.poll(() => isPostgresAlive(found.pid)).toBe(true);
});

test('refuses a data folder of another major version, in one line, and leaves it untouched', async () => {
  copyMade();
  const cluster = await start();
  await cluster.stop();
  const versionFile = join(cluster.dataFolder, 'PG_VERSION');
  await writeFile(versionFile, '19\n');
  const refusal = await startEmbedded({ folder, log: silentLog }).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: 'EmbeddedFailure', code: 'other_major_version' });
  expect((refusal as Error).message).toMatch(/made by PostgreSQL 19; this program brings PostgreSQL 18/);
  expect((refusal as Error).message).not.toContain('\n');
  expect(await readFile(versionFile, 'utf8')).toBe('19\n');
});

test('refuses a running server whose password is not ours', async () => {
  copyMade();
  const other = await startHolder(folder);
  cleanUps.push(() => other.leave());
  const passwordFile = join(folder, 'postgres-password');
  const password = await readFile(passwordFile, 'utf8');
  await writeFile(passwordFile, 'another');
  await expect(startEmbedded({ folder, log: silentLog })).rejects.toMatchObject({ code: 'not_ours' });
  await writeFile(passwordFile, password);
});

test('says in one line that a data folder cannot be used', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  const refusal = await startEmbedded({ folder: join(file, 'inside'), log: silentLog }).catch(
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({ name: 'EmbeddedFailure', code: 'no_place' });
});

test('says why a cluster does not start', async () => {
  copyMade();
  const cluster = await start();
  await cluster.stop();
  await rm(join(cluster.dataFolder, 'global', 'pg_control'));
  await expect(startEmbedded({ folder, log: silentLog })).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringContaining('pg_control'),
  });
});

test('repairs the links that the package cannot ship', async () => {
  const packaged = await findBinaries();
  const copy = join(folder, 'package');
  await cp(packaged.folder, copy, { recursive: true, verbatimSymlinks: true });
  await unlink(join(copy, 'native', 'lib', 'libicui18n.so.60'));
  await expect(majorVersionOf(binariesIn(copy))).rejects.toMatchObject({ code: 'no_binaries' });
  expect(await repairLinks(copy)).toBe(true);
  expect(await majorVersionOf(binariesIn(copy))).toBe(18);
});

test('takes TCP where the path is too long for a socket', async () => {
  folder = join(folder, 'long'.repeat(25));
  await mkdir(folder);
  copyMade();
  const cluster = await start();
  expect(new URL(cluster.ownerUrl).searchParams.get('host')).toBeNull();
  expect(await ask(cluster.ownerUrl, 'SELECT 1')).toBe(1);
});

test.runIf(isRoot)('as root, moves the data to where the database user may enter, and says so', async () => {
  await chmod(folder, 0o700);
  const cluster = await start();
  cleanUps.unshift(() => rm(dirname(cluster.dataFolder), { recursive: true, force: true }));
  expect(cluster.dataFolder).toMatch(/^\/var\/lib\/switchyard\/[0-9a-f]{16}\/data$/);
  expect(await readFile(join(folder, 'postgres-place.txt'), 'utf8')).toBe(dirname(cluster.dataFolder));
  expect(await ask(cluster.ownerUrl, 'SELECT 1')).toBe(1);
});

const canRunAsNobody = isRoot && spawnSync(process.execPath, ['--version'], { ...nobody, cwd: '/' }).status === 0;

test.runIf(canRunAsNobody)('runs as an ordinary user, with the data where it was asked for', async () => {
  await chown(folder, nobody.uid, nobody.gid);
  const holder = await startHolder(folder, nobody);
  expect(holder.said.dataFolder).toBe(join(folder, 'postgres', 'data'));
  expect(await holder.leave()).toBe(true);
});
