import type { PoolClient } from 'pg';
import { withOwnerClient } from '../database/owner-pool.ts';
import { translate } from '../database/unavailable.ts';
import type { SchemaOptions } from './migrate.ts';
import { type Day, dayMs, dayOf, dayOfPartition, daysFrom, firstIdOf, partitionName } from './partition-days.ts';
import { dayPartitionedTables, schemaName } from './tables.ts';

/** Bodies of a few kilobytes stay in their row: squeezing them out of it costs more than the room it saves in days. */
const toastTarget = 8_160;

type DayTable = (typeof dayPartitionedTables)[number];

/** Waiting for a lock of a hot table longer than this would hold up everyone behind us: give up, and try next time. */
const lockWait = '3s';

/**
 * Makes the partitions of `days` days, beginning with that of `from`; those that are there are left. Rows of such a day
 * that had gone to the default partition move over. Gives the names of those made. Runs beside live traffic: the parent
 * is not locked against inserts.
 */
export function ensurePartitions(options: SchemaOptions, from: Date, days: number): Promise<string[]> {
  return withOwnerClient(options.ownerUrl, async (client) => {
    const made: string[] = [];
    for (const table of dayPartitionedTables) {
      const present = new Set(await partitionsOf(client, table));
      for (const day of daysFrom(from, days)) {
        if (present.has(partitionName(table, day))) continue;
        if (await makePartition(client, table, day)) made.push(partitionName(table, day));
      }
    }
    return made;
  });
}

export interface DroppedDays {
  readonly dropped: readonly string[];
  /** Days (first moment, UTC) that hold deliveries not yet normalised: nothing of them was dropped. */
  readonly keptDays: readonly Date[];
}

/**
 * Drops every day that ended before `before`'s day began, and such rows of the default partitions; of tries, before
 * `attemptsBefore`'s. A day with a delivery that still waits in the inbox is kept whole.
 */
export function dropPartitionsBefore(
  options: SchemaOptions,
  before: Date,
  attemptsBefore: Date = before,
): Promise<DroppedDays> {
  const boundOf = (table: DayTable) => dayOf(table === 'attempts' ? attemptsBefore : before);
  return withOwnerClient(options.ownerUrl, async (client) => {
    const dropped: string[] = [];
    const keptDays: Date[] = [];
    for (const [day, names] of await partitionsByDay(client)) {
      const due = new Map([...names].filter(([table]) => day + dayMs <= boundOf(table)));
      if (due.size === 0) continue;
      if (await dropDay(client, day, due)) dropped.push(...due.values());
      else keptDays.push(new Date(day));
    }
    await inTransaction(client, () =>
      deleteFromDefaults(client, firstIdOf(dayOf(before)), firstIdOf(dayOf(attemptsBefore))),
    );
    return { dropped, keptDays };
  });
}

async function partitionsOf(client: PoolClient, table: DayTable): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = to_regclass($1) ORDER BY 1`,
    [`${schemaName}.${table}`],
  );
  return rows.map((row) => row.name);
}

async function partitionsByDay(client: PoolClient): Promise<Map<Day, Map<DayTable, string>>> {
  const byDay = new Map<Day, Map<DayTable, string>>();
  for (const table of dayPartitionedTables) {
    for (const name of await partitionsOf(client, table)) {
      const day = dayOfPartition(name);
      if (day === undefined) continue;
      byDay.set(day, (byDay.get(day) ?? new Map<DayTable, string>()).set(table, name));
    }
  }
  return byDay;
}

/**
 * Made beside the parent and then attached, since CREATE … PARTITION OF would lock the parent against everyone. False:
 * another process was quicker.
 */
function makePartition(client: PoolClient, table: DayTable, day: Day): Promise<boolean> {
  const name = partitionName(table, day);
  const [first, end] = [firstIdOf(day), firstIdOf(day + dayMs)];
  return inTransaction(client, async () => {
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('switchyard partitions'))`);
    if ((await partitionsOf(client, table)).includes(name)) return false;
    await client.query(`CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL) WITH (toast_tuple_target = ${toastTarget})`);
    // Attaching locks the default partition in any case; locked first, no row can slip in after the move.
    await client.query(`LOCK TABLE ${table}_default IN ACCESS EXCLUSIVE MODE`);
    await client.query(
      `WITH moved AS (DELETE FROM ${table}_default WHERE id >= '${first}' AND id < '${end}' RETURNING *)
       INSERT INTO ${name} SELECT * FROM moved`,
    );
    await client.query(`ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM ('${first}') TO ('${end}')`);
    return true;
  });
}

function dropDay(client: PoolClient, _day: Day, names: ReadonlyMap<DayTable, string>): Promise<boolean> {
  return inTransaction(client, async () => {
    const inbox = names.get('inbox');
    if (inbox) {
      await client.query(`LOCK TABLE ${inbox} IN ACCESS EXCLUSIVE MODE`);
      const waiting = await client.query(`SELECT 1 FROM ${inbox} WHERE state = 'stored' LIMIT 1`);
      if (waiting.rowCount) return false;
    }
    for (const [table, name] of names) {
      await client.query(`ALTER TABLE ${table} DETACH PARTITION ${name}`);
      await client.query(`DROP TABLE ${name}`);
    }
    return true;
  });
}

/**
 * Ids of version 7 only: those of other versions (rows taken over from elsewhere) do not tell a day. The default
 * partitions are asked by their own names, since row-level security of the parents holds for the owner too.
 */
async function deleteFromDefaults(client: PoolClient, bound: string, attemptsBound: string): Promise<void> {
  const isOlder = (than: string) => `d.id < '${than}' AND substr(d.id::text, 15, 1) = '7'`;
  const isOld = isOlder(bound);
  await client.query(
    `DELETE FROM deliveries_default d WHERE ${isOld} AND NOT EXISTS (SELECT 1 FROM inbox_default i
      WHERE i.workspace_id = d.workspace_id AND i.id = d.id AND i.state = 'stored')`,
  );
  await client.query(`DELETE FROM inbox_default d WHERE ${isOld} AND d.state <> 'stored'`);
  await client.query(`DELETE FROM attempts_default d WHERE ${isOlder(attemptsBound)}`);
}

async function inTransaction<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = '${lockWait}'`);
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      // The connection is gone, and the transaction with it; the first error tells why.
    });
    throw translate(error);
  }
}
