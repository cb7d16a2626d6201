/** The engines of background work: all on Postgres, or on Redis beside it. */
export { closeWaitMs, maxPayloadBytes } from './bullmq-jobs.ts';
export { maxRingBytes } from './listeners.ts';
export { maxCounterKeyBytes } from './postgres-counters-store.ts';
export { createPostgresEngines, type PostgresEnginesOptions } from './postgres-engines.ts';
export { jobsSchema, prepareJobs } from './postgres-jobs.ts';
export { RedisUnavailable } from './redis-connections.ts';
export { createRedisEngines, type RedisEnginesOptions } from './redis-engines.ts';
