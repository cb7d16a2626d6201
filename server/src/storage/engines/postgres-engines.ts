import { Pool } from 'pg';
import { type Clock, type Log, once, systemClock } from '#kernel';
import type { Counters, Engines } from '../engines.ts';
import { createTwoLevelCache } from './cache/two-level-cache.ts';
import { createPostgresCounters } from './counters/postgres-counters-store.ts';
import { createPostgresDoorbell } from './doorbell/postgres-doorbell-client.ts';
import { createBullmqJobs, type JobTimes } from './jobs/bullmq-jobs.ts';
import { openPostgresJobs } from './jobs/postgres-jobs.ts';

import { answerTimeoutMs } from './reconnect.ts';

export interface PostgresEnginesOptions {
  /** Role `app`. `prepareJobs` must have run, and the table `counters` be there. */
  readonly connectionString: string;
  readonly log: Log;
  /** Only the cache's times. Counters go by the database's clock; BullMQ's locks and delays by the process's own. */
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Of the table `counters`. */
  readonly schema?: string;
  readonly jobsSchema?: string;
  readonly jobTimes?: Partial<JobTimes>;
}

/**
 * All engines on Postgres. Holds one connection for the doorbell, up to four for counters, and for jobs one for each
 * queue that is worked on here and up to six more. Rejects when the database cannot be reached.
 */
export async function createPostgresEngines(options: PostgresEnginesOptions): Promise<Engines> {
  const { log, connectionString, clock = systemClock, random = Math.random } = options;
  const doorbell = await createPostgresDoorbell({ connectionString, log, random });
  const { counters, pool } = openPostgresCounters(options);
  const home = openPostgresJobs(connectionString, log, options.jobsSchema);
  const jobs = createBullmqJobs(home, { log, random, times: options.jobTimes });
  return {
    kind: 'postgres',
    doorbell,
    counters,
    jobs,
    cache: (cacheOptions) =>
      createTwoLevelCache(cacheOptions, { doorbell, shared: null, log, random, elapsedMs: () => clock.elapsedMs() }),
    close: once(async () => {
      await jobs.close();
      await doorbell.close();
      await counters.close();
      await pool.end();
    }),
  };
}

export function openPostgresCounters(options: PostgresEnginesOptions): {
  readonly counters: Counters;
  readonly pool: Pool;
} {
  const pool = new Pool({
    connectionString: options.connectionString,
    max: 4,
    application_name: 'switchyard counters',
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
  });
  pool.on('error', (error) => options.log.warn({ err: error }, 'an idle connection of the counters was lost'));
  const table = `${options.schema ?? 'switchyard'}.counters`;
  return { counters: createPostgresCounters(pool, { table, log: options.log }), pool };
}
