import { once, systemClock } from '#kernel';
import type { Engines } from '../engines.ts';
import { createRedisSharedLevel } from './cache/redis-shared-level-client.ts';
import { createTwoLevelCache } from './cache/two-level-cache.ts';
import { createRedisCounters } from './counters/redis-counters-client.ts';
import { createRedisDoorbell } from './doorbell/redis-doorbell-client.ts';
import { createBullmqJobs } from './jobs/bullmq-jobs.ts';
import { openRedisJobs } from './jobs/redis-jobs.ts';

import { openPostgresCounters, type PostgresEnginesOptions } from './postgres-engines.ts';
import { commandOptions, firstConnect, openRedis, type RedisConnector } from './redis-connections.ts';

/** The connection string is for what must outlast a flush: claims, and counting while Redis is away. */
export interface RedisEnginesOptions extends PostgresEnginesOptions {
  /** `redis://` or `rediss://`. */
  readonly redisUrl: string;
}

/**
 * All engines on Redis 6.2 or newer. Holds four connections (commands, doorbell, queues, workers), one more for each
 * queue that is worked on here, and up to four to Postgres. Rejects when Redis cannot be reached.
 */
export async function createRedisEngines(options: RedisEnginesOptions): Promise<Engines> {
  const { log, redisUrl, clock = systemClock, random = Math.random } = options;
  const connector: RedisConnector = { redisUrl, log, random };
  const commands = openRedis(connector, 'commands', commandOptions(connector));
  await firstConnect(commands);
  const doorbell = await createRedisDoorbell(connector, commands);
  const home = await openRedisJobs(connector);
  const jobs = createBullmqJobs(home, { log, random, times: options.jobTimes });
  const postgres = openPostgresCounters(options);
  return {
    kind: 'redis',
    doorbell,
    counters: createRedisCounters(commands, postgres.counters, log),
    jobs,
    cache: (cacheOptions) =>
      createTwoLevelCache(cacheOptions, {
        doorbell,
        shared: createRedisSharedLevel(commands, cacheOptions.name, log),
        log,
        random,
        elapsedMs: () => clock.elapsedMs(),
      }),
    close: once(async () => {
      await jobs.close();
      await doorbell.close();
      await postgres.counters.close();
      await postgres.pool.end();
      commands.disconnect();
    }),
  };
}
