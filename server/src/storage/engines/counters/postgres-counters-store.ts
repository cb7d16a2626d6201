/**
 * Counters in the table `counters` (unlogged: a crash of the database starts every window anew). One statement each,
 * and the database's clock decides, so that servers need not agree on the time.
 */
import type { Pool } from 'pg';
import { assert, type Log } from '#kernel';
import { translate } from '../../database/unavailable.ts';
import type { Counters } from '../../engines.ts';

export const maxCounterKeyBytes = 512;
const sweepEveryMs = 60_000;
const sweepBatch = 5_000;

/** `table`: with its schema. The pool is closed by its owner, after this. */
export function createPostgresCounters(pool: Pool, options: { readonly table: string; readonly log: Log }): Counters {
  const statements = counterStatements(options.table);
  const sweep = () =>
    sweepCounters(pool, options.table).catch((error: unknown) => {
      options.log.warn({ err: error }, 'counters whose window has ended could not be swept');
    });
  const timer = setInterval(() => void sweep(), sweepEveryMs).unref();
  const addTogether = gatherAdditions(async (additions) => {
    const values = [
      additions.map(({ key }) => `sum:${key}`),
      additions.map(({ amount }) => amount),
      additions.map(({ windowMs }) => windowMs),
    ];
    const { rows } = await pool.query<SumRow>({ ...statements.add, values }).catch(rethrow);
    return new Map(rows.map((row) => [row.key.slice('sum:'.length), row]));
  });

  return {
    async add(key, amount, windowMs) {
      checkCounter(key, amount, windowMs);
      const { total, remainingMs } = await addTogether({ key, amount, windowMs });
      return { total: Number(total), remainingMs: Math.max(0, Math.ceil(remainingMs)) };
    },
    async claimOnce(key, windowMs) {
      checkCounter(key, 1, windowMs);
      const { rowCount } = await pool.query({ ...statements.claim, values: [`once:${key}`, windowMs] }).catch(rethrow);
      return rowCount === 1;
    },
    async close() {
      clearInterval(timer);
    },
  };
}

/** A database that is away is StorageUnavailable here as everywhere. */
function rethrow(error: unknown): never {
  throw translate(error);
}

/** Refuses what would not mean the same on every engine. */
export function checkCounter(key: string, amount: number, windowMs: number): void {
  assert(
    key !== '' && Buffer.byteLength(key) <= maxCounterKeyBytes,
    `a counter's key is 1 to ${maxCounterKeyBytes} bytes`,
  );
  assert(!key.includes('\0'), "a counter's key holds no NUL");
  assert(Number.isSafeInteger(amount), 'a counter counts whole numbers');
  assert(Number.isSafeInteger(windowMs) && windowMs > 0, 'a window is a whole number of milliseconds');
}

/** Deletes up to 5,000 counters whose window has ended; gives how many. Rows in use are left for the next time. */
export async function sweepCounters(pool: Pool, table: string): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'counters-sweep',
    text: `DELETE FROM ${table} WHERE key IN (
             SELECT key FROM ${table} WHERE ends_at < statement_timestamp() LIMIT $1 FOR UPDATE SKIP LOCKED)
           AND ends_at < statement_timestamp()`,
    values: [sweepBatch],
  });
  return rowCount ?? 0;
}

interface SumRow {
  readonly key: string;
  readonly total: string;
  readonly remainingMs: number;
}

interface Addition {
  readonly key: string;
  readonly amount: number;
  readonly windowMs: number;
}

/**
 * What is added in one go of the event loop is one statement: a batch of messages asks about many accounts at once. A key
 * that is there already goes into the next one, since a statement can change a row once, and the next waits for the last,
 * so that additions to one key count in their order.
 */
function gatherAdditions(write: (additions: readonly Addition[]) => Promise<Sums>) {
  let open: Gathered | null = null;

  function begin(after: Promise<unknown>): Gathered {
    const additions = new Map<string, Addition>();
    const written = after.then(() => {
      if (open?.additions === additions) open = null;
      return write([...additions.values()]);
    });
    return { additions, written };
  }

  return async (addition: Addition): Promise<SumRow> => {
    if (!open) open = begin(Promise.resolve());
    // Whether the last one succeeded is told to those who asked for it.
    else if (open.additions.has(addition.key)) open = begin(open.written.catch(() => {}));
    const { additions, written } = open;
    additions.set(addition.key, addition);
    return (await written).get(addition.key)!;
  };
}

type Sums = ReadonlyMap<string, SumRow>;

interface Gathered {
  readonly additions: Map<string, Addition>;
  readonly written: Promise<Sums>;
}

/** The time of the statement, not of each expression: whether a window has ended is decided once for a row. */
function counterStatements(table: string) {
  return {
    add: {
      name: 'counters-add',
      // In the order of their keys, so that two processes cannot wait for each other.
      text: `INSERT INTO ${table} AS c (key, total, ends_at)
             SELECT a.key, a.amount, statement_timestamp() + a.window_ms * interval '1 millisecond'
               FROM unnest($1::text[], $2::bigint[], $3::float8[]) AS a (key, amount, window_ms) ORDER BY a.key
             ON CONFLICT (key) DO UPDATE SET
               total = EXCLUDED.total + CASE WHEN c.ends_at > statement_timestamp() THEN c.total ELSE 0 END,
               ends_at = CASE WHEN c.ends_at > statement_timestamp() THEN c.ends_at ELSE EXCLUDED.ends_at END
             RETURNING key, total, extract(epoch FROM ends_at - clock_timestamp())::float8 * 1000 AS "remainingMs"`,
    },
    claim: {
      name: 'counters-claim',
      text: `INSERT INTO ${table} AS c (key, total, ends_at)
             VALUES ($1, 1, statement_timestamp() + $2::float8 * interval '1 millisecond')
             ON CONFLICT (key) DO UPDATE SET ends_at = EXCLUDED.ends_at WHERE c.ends_at <= statement_timestamp()`,
    },
  };
}
