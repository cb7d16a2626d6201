import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '#kernel';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { roleNames } from '../database/roles.ts';
import type { Engines } from '../engines.ts';
import { cacheConformance } from './cache/cache.conformance.ts';
import { type EnginesUnderTest, eventually } from './conformance.ts';
import { openEngines } from './conformance-process.ts';
import { countersConformance } from './counters/counters.conformance.ts';
import { sweepCounters } from './counters/postgres-counters-store.ts';
import { doorbellConformance } from './doorbell/doorbell.conformance.ts';
import { jobsConformance } from './jobs/jobs.conformance.ts';
import { jobsSchema, prepareJobs } from './jobs/postgres-jobs.ts';
import { createPostgresEngines, openPostgresCounters } from './postgres-engines.ts';

let db: TestDatabase;
let opened: Engines[] = [];

beforeAll(async () => {
  db = await testDatabase();
  await prepareJobs(db.ownerUrl, [roleNames.app]);
});
afterAll(() => db.close());
afterEach(async () => {
  await Promise.all(opened.map((engines) => engines.close()));
  opened = [];
  // A connection that was closed stays on the list for a moment, and the tests count on its order.
  await eventually(async () => {
    const left = `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                  AND application_name = 'switchyard doorbell'`;
    expect(await db.ownerQuery(left)).toEqual([]);
  });
  const tables = await db.ownerQuery<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname = $1 AND tablename <> 'migration'`,
    [jobsSchema],
  );
  await db.ownerQuery(`TRUNCATE counters, ${tables.map(({ name }) => name).join(', ')}`);
});

async function cut(where: string, values: readonly unknown[] = []): Promise<void> {
  const ended = await db.ownerQuery(
    `SELECT pg_terminate_backend(pid) FROM (
       SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND ${where}) AS those`,
    values,
  );
  expect(ended.length).toBeGreaterThan(0);
}

const under: EnginesUnderTest = {
  name: 'Postgres',
  async open(options = {}) {
    const engines = await openEngines({ ...under.processOptions(), ...options });
    opened.push(engines);
    return engines;
  },
  processOptions: () => ({ connectionString: db.urls.app, jobTimes: { firstRetryMs: 20, lockMs: 1_000 } }),
  cutDoorbell: (index) =>
    cut(
      `pid = (SELECT pid FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'switchyard doorbell'
              ORDER BY backend_start OFFSET $1 LIMIT 1)`,
      [index],
    ),
  cutJobs: () => cut(`usename LIKE 'switchyard_app%' AND application_name <> 'switchyard doorbell'`),
};

doorbellConformance(under);
countersConformance(under);
cacheConformance(under);
jobsConformance(under);

describe('engines on Postgres', () => {
  it('refuse to open where no database answers', async () => {
    const connectionString = 'postgres://app@127.0.0.1:1/nowhere';
    await expect(createPostgresEngines({ connectionString, log: silentLog })).rejects.toThrow('ECONNREFUSED');
  });

  it('sweep the counters whose window has ended, and no others', async () => {
    const { counters, pool } = openPostgresCounters({ connectionString: db.urls.app, log: silentLog });
    await counters.add('short', 1, 1);
    await counters.add('long', 1, 60_000);
    await eventually(async () => expect(await sweepCounters(pool, 'switchyard.counters')).toBe(1));
    const left = await db.ownerQuery('SELECT key FROM counters');
    expect(left).toEqual([{ key: 'sum:long' }]);
    await counters.close();
    await pool.end();
  });

  it('prepare the job queues again without changing anything', async () => {
    const tables = `SELECT count(*)::int AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = '${jobsSchema}'`;
    const before = await db.ownerQuery(tables);
    await Promise.all([1, 2, 3].map(() => prepareJobs(db.ownerUrl, [roleNames.app])));
    expect(await db.ownerQuery(tables)).toEqual(before);
  });

  it('own nothing: all of the job queues belongs to the owner', async () => {
    const { jobs } = await under.open();
    await jobs.enqueue('reminders', { name: 'a', id: 'a', payload: {} });
    const owners = await db.ownerQuery(
      `SELECT DISTINCT r.rolname AS owner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_roles r ON r.oid = c.relowner WHERE n.nspname = $1`,
      [jobsSchema],
    );
    expect(owners).toEqual([{ owner: 'switchyard_owner' }]);
  });

  it('enqueue again once the queues can be reached, after a first attempt that failed', async () => {
    const { jobs } = await under.open();
    const job = { name: 'a', id: 'a', payload: {} };
    await db.ownerQuery(`REVOKE USAGE ON SCHEMA ${jobsSchema} FROM ${roleNames.app}`);
    try {
      await expect(jobs.enqueue('reminders', job)).rejects.toThrow();
      await expect(jobs.work('reminders', async () => {}, { concurrency: 1, maxAttempts: 1 })).rejects.toThrow();
    } finally {
      await db.ownerQuery(`GRANT USAGE ON SCHEMA ${jobsSchema} TO ${roleNames.app}`);
    }
    await jobs.enqueue('reminders', job);
    expect(await jobs.counts('reminders')).toMatchObject({ waiting: 1 });
  });

  it('share one pool among all workers', async () => {
    const { jobs } = await under.open();
    for (const queue of ['reminders', 'campaigns', 'maintenance'] as const) {
      await jobs.work(queue, async () => {}, { concurrency: 5, maxAttempts: 1 });
    }
    const [row] = await db.ownerQuery<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database()
       AND usename LIKE 'switchyard_app%' AND application_name <> 'switchyard doorbell'`,
    );
    expect(row!.count).toBeLessThanOrEqual(12);
  });
});
