/** The engines of background work: all on Postgres, or on Redis beside it. */

export { maxCounterKeyBytes } from './counters/postgres-counters-store.ts';
export { maxRingBytes } from './doorbell/listeners.ts';
export { closeWaitMs, maxPayloadBytes } from './jobs/bullmq-jobs.ts';
export { jobsSchema, prepareJobs } from './jobs/postgres-jobs.ts';
export { createPostgresEngines, type PostgresEnginesOptions } from './postgres-engines.ts';
export { createRedisEngines, describeRedis } from './redis.ts';
export type { RedisEnginesOptions } from './redis-engines.ts';
export type { RedisDescription } from './redis-look-client.ts';
export { RedisUnavailable } from './redis-unavailable.ts';
