import type { Writable } from 'node:stream';
import type pg from 'pg';
import { assert } from '#kernel';
import { CommitUnknown, type Row, type Tx } from '../storage.ts';
import { isUnavailable, translate } from './unavailable.ts';

/** Counts one statement sent; BEGIN and COMMIT count too. */
export type Count = () => void;

/**
 * One transaction on a connection of `pool`. `begin` is the whole opening in one round trip. Commits when `work` returns,
 * rolls back when it throws; a connection whose state is not certain is thrown away, never given back. Throws
 * CommitUnknown where the answer to COMMIT is lost, StorageUnavailable where one before it is.
 */
export async function runTransaction<T>(
  pool: pg.Pool,
  begin: string,
  count: Count,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  const transaction = new OpenTransaction(client, count);
  let isBroken = false;
  try {
    // Goes out with the first statement, in one round trip: where it fails, Postgres refuses what follows.
    const begun = transaction.control(begin);
    const [result] = await Promise.all([work(transaction), begun]);
    await transaction.commit();
    return result;
  } catch (error) {
    isBroken = isUnavailable(error) || !(await transaction.rollback());
    throw translate(error);
  } finally {
    disconnect(client, isBroken);
    transaction.ringAfterCommit();
  }
}

export async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    const client = await pool.connect();
    // A checked-out connection that breaks between two statements would otherwise end the process.
    client.on('error', ignoreBreak);
    return client;
  } catch (error) {
    throw translate(error);
  }
}

export function disconnect(client: pg.PoolClient, isBroken: boolean): void {
  client.off('error', ignoreBreak);
  client.release(isBroken);
}

function ignoreBreak(): void {
  // The statement under way, or the next one, fails with the same reason and is translated there.
}

class OpenTransaction implements Tx {
  readonly #client: pg.PoolClient;
  readonly #count: Count;
  readonly #bells: (() => void)[] = [];
  #isHeldBack = false;
  #state: 'open' | 'ending' | 'committed' | 'undone' = 'open';

  constructor(client: pg.PoolClient, count: Count) {
    this.#client = client;
    this.#count = count;
  }

  async query<R extends Row = Row>(text: string, values: readonly unknown[] = [], name?: string): Promise<R[]> {
    assert(this.#state === 'open', 'a transaction is not used after its end');
    const statement = { text, values: [...values], ...(name ? { name } : {}) };
    return this.#send(async () => (await this.#client.query<R>(statement)).rows);
  }

  afterCommit(ring: () => void): void {
    this.#bells.push(ring);
  }

  /** BEGIN and its like: without parameters, so that several statements go in one round trip. */
  control(text: string): Promise<pg.QueryResult> {
    return this.#send(() => this.#client.query(text));
  }

  async commit(): Promise<void> {
    this.#state = 'ending';
    const { command } = await this.#sendCommit();
    // Postgres answers ROLLBACK, without an error, when a statement had failed and the work went on regardless.
    assert(command === 'COMMIT', 'a transaction with a failed statement is not committed');
    this.#state = 'committed';
  }

  async #sendCommit(): Promise<pg.QueryResult> {
    try {
      return await this.control('COMMIT');
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      throw new CommitUnknown('the database went away while a transaction was being committed', { cause: error });
    }
  }

  /** False when the connection is no longer to be trusted. */
  async rollback(): Promise<boolean> {
    this.#state = 'undone';
    try {
      await this.control('ROLLBACK');
      return true;
    } catch {
      // The first error is the one that tells; this one only says that the connection is of no more use.
      return false;
    }
  }

  /** After the connection has been given back; a bell that throws must not undo what is committed. */
  ringAfterCommit(): void {
    if (this.#state !== 'committed') return;
    for (const ring of this.#bells) queueMicrotask(ring);
  }

  /**
   * In the order in which they are asked, without waiting for each other's answers (`pipeline` of the pool): Postgres
   * works on them one after the other, and refuses those that come after one that failed.
   */
  async #send<T>(send: () => Promise<T>): Promise<T> {
    this.#count();
    this.#holdBack();
    try {
      return await send();
    } catch (error) {
      throw translate(error);
    }
  }

  /** What is asked in one go of the event loop leaves in one write. */
  #holdBack(): void {
    const stream = streamOf(this.#client);
    if (this.#isHeldBack || !stream) return;
    this.#isHeldBack = true;
    stream.cork();
    process.nextTick(() => {
      this.#isHeldBack = false;
      stream.uncork();
    });
  }
}

/** pg shows its socket, its types do not. Where there is none, every statement leaves by itself. */
function streamOf(client: pg.PoolClient): Pick<Writable, 'cork' | 'uncork'> | undefined {
  return (client as { readonly connection?: { readonly stream?: Writable } }).connection?.stream;
}
