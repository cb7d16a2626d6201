import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { silentLog } from '#kernel';
import { type EmbeddedCluster, ensureRoles, migrate, type RoleUrls, startEmbedded } from '#storage';

/** What test files are told of the run's cluster: plain values, since they travel between processes. */
export interface TestClusterFacts {
  /** The superuser; put a database's name in place of `postgres` at its end. */
  readonly superuserUrl: string;
  readonly template: string;
  /** The owner's and the roles' log-ins on the template; a test puts its own database's name there. */
  readonly ownerUrl: string;
  readonly urls: RoleUrls;
}

export const templateDatabase = 'switchyard';
const folderPrefix = 'switchyard-test-';

export async function startTestCluster(): Promise<{ facts: TestClusterFacts; close: () => Promise<void> }> {
  await sweepAbandoned();
  const { cluster, close } = await startInNewFolder({ isDurable: false });
  try {
    const urls = await ensureRoles({ ownerUrl: cluster.ownerUrl, secret: cluster.roleSecret });
    await migrate({ ownerUrl: cluster.ownerUrl });
    const { ownerUrl } = cluster;
    const superuserUrl = cluster.superuserUrl('postgres');
    return { facts: { superuserUrl, template: templateDatabase, ownerUrl, urls }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A cluster in a temporary folder of its own, named after this process so that a later run can sweep it. */
export async function startInNewFolder(options: {
  readonly isDurable: boolean;
}): Promise<{ cluster: EmbeddedCluster; folder: string; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  // The database's own OS user must be able to pass through.
  await chmod(folder, 0o755);
  const cluster = await startEmbedded({ folder, log: silentLog, isDurable: options.isDurable });
  const close = async () => {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { cluster, folder, close };
}

/** Clusters of test runs that were killed: their runner is gone, so nobody else will stop them. */
async function sweepAbandoned(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(folderPrefix));
  for (const name of names) {
    const runner = Number(name.slice(folderPrefix.length).split('-')[0]);
    if (!runner || isRunning(runner)) continue;
    const folder = join(tmpdir(), name);
    const pidFile = await readFile(join(folder, 'postgres', 'data', 'postmaster.pid'), 'utf8').catch(() => '');
    const pid = Number(pidFile.split('\n')[0]);
    if (pid && pidFile.includes(folder) && isRunning(pid)) process.kill(pid, 'SIGQUIT');
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Runs statements one by one as the superuser, on a database of the cluster. */
export async function asSuperuser<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The same server and log-in, another database. */
export function urlOfDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
