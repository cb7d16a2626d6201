/** The run's own PostgreSQL: where it is, who its processes are, and what can be done to them. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { silentLog } from '../../../server/src/kernel/index.ts';
import { type EmbeddedCluster, startEmbedded } from '../../../server/src/storage/embedded/index.ts';
import { endAtLast } from './leftovers.ts';
import { readText } from './read-text.ts';

export class Cluster {
  readonly folder: string;
  #hold: EmbeddedCluster | null = null;
  #url = '';
  #dataFolder = '';

  constructor(folder: string) {
    this.folder = folder;
    // A cluster whose folder nobody needs any more: its children see that it is gone, and end.
    endAtLast(() => (this.#dataFolder === '' ? undefined : this.postmaster));
  }

  /** Starts it or joins it. While we hold it nobody else's end stops it. */
  async hold(): Promise<void> {
    if (this.#hold) return;
    this.#hold = await startEmbedded({ folder: this.folder, log: silentLog });
    this.#url = this.#hold.superuserUrl('switchyard');
    this.#dataFolder = this.#hold.dataFolder;
    const address = new URL(this.#url);
    if (address.hostname !== '127.0.0.1' || !this.#dataFolder.startsWith(this.folder))
      throw new Error(`this database is not the run's own: ${this.#dataFolder}`);
  }

  /** From now on the server's processes keep it alive, or nobody does. */
  async letGo(): Promise<void> {
    const hold = this.#hold;
    this.#hold = null;
    await hold?.stop();
  }

  get serverLog(): string {
    return join(this.#dataFolder, '..', 'postgres.log');
  }

  /** As the superuser, past row-level security. Rejects while the database is away. */
  async ask<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.session(async (client) => (await client.query<Row>(text, [...values])).rows);
  }

  async session<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({
      connectionString: this.#url,
      options: '-c search_path=switchyard',
      connectionTimeoutMillis: 3_000,
      application_name: 'switchyard fault run',
    });
    client.on('error', () => {
      // The statement under way tells of it.
    });
    try {
      await client.connect();
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  get postmaster(): number | undefined {
    const text = readText(join(this.#dataFolder, 'postmaster.pid'));
    const pid = Number(text.split('\n')[0]);
    return pid && isPostgres(pid) ? pid : undefined;
  }

  get backends(): number[] {
    const pid = this.postmaster;
    if (!pid) return [];
    return readText(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  }

  // Each blow says whether it struck: false where there was nobody to strike.

  /** As a loss of power would: no checkpoint, no goodbye. Its children are their own process groups, so each by its id. */
  killAll(): boolean {
    const children = this.backends;
    const pid = this.postmaster;
    const hasStruck = pid !== undefined && signal(pid, 'SIGKILL');
    for (const child of children) signal(child, 'SIGKILL');
    return hasStruck;
  }

  /** One backend dies: Postgres ends all others and recovers by itself. */
  killOne(choose: (pids: readonly number[]) => number): boolean {
    const children = this.backends;
    return children.length > 0 && signal(choose(children), 'SIGKILL');
  }

  /** `pg_ctl stop -m immediate`. */
  stopImmediately(): boolean {
    const pid = this.postmaster;
    return pid !== undefined && signal(pid, 'SIGQUIT');
  }

  async freeze(ms: number): Promise<boolean> {
    const { postmaster } = this;
    if (postmaster === undefined) return false;
    const all = [postmaster, ...this.backends];
    for (const pid of all) signal(pid, 'SIGSTOP');
    await wait(ms);
    for (const pid of all) signal(pid, 'SIGCONT');
    return true;
  }
}

/** False: it is gone. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    return false;
  }
}

function isPostgres(pid: number): boolean {
  return /^\d+ \(postgres\)/.test(readText(`/proc/${pid}/stat`));
}
