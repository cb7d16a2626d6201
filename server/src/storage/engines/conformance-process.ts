/** Engines for a test, in its own process or in another that it starts. Imports nothing of the test runner. */
import { silentLog } from '#kernel';
import type { Engines } from '../engines.ts';
import { createPostgresEngines, type PostgresEnginesOptions } from './postgres-engines.ts';
import { createRedisEngines } from './redis-engines.ts';

/** Plain values, since they travel to another process. */
export interface ProcessOptions extends Omit<PostgresEnginesOptions, 'log' | 'clock' | 'random'> {
  readonly redisUrl?: string;
}

export function openEngines(
  options: ProcessOptions & Pick<PostgresEnginesOptions, 'clock' | 'random'>,
): Promise<Engines> {
  const { redisUrl } = options;
  return redisUrl === undefined
    ? createPostgresEngines({ ...options, log: silentLog })
    : createRedisEngines({ ...options, redisUrl, log: silentLog });
}
