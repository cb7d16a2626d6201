/** The engines of background work: all on Postgres, or on Redis beside it. */

export { maxCounterKeyBytes } from './counters/postgres-counters-store.ts';
export { maxRingBytes } from './doorbell/listeners.ts';
export { closeWaitMs, maxPayloadBytes } from './jobs/bullmq-jobs.ts';
export { jobsSchema, prepareJobs } from './jobs/postgres-jobs.ts';
export { createPostgresEngines, type PostgresEnginesOptions } from './postgres-engines.ts';
export { RedisUnavailable } from './redis-connections.ts';
export { createRedisEngines, type RedisEnginesOptions } from './redis-engines.ts';
export { describeRedis, type RedisDescription } from './redis-look-client.ts';
