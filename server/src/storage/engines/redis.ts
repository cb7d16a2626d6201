/** The door to what needs Redis' client, which is loaded where there is a Redis. */
import { once } from '#kernel';
import type { createRedisEngines as CreateRedisEngines } from './redis-engines.ts';
import type { describeRedis as DescribeRedis } from './redis-look-client.ts';

const loadEngines = once(() => import('./redis-engines.ts'));
const loadLook = once(() => import('./redis-look-client.ts'));

export const createRedisEngines: typeof CreateRedisEngines = async (options) =>
  (await loadEngines()).createRedisEngines(options);

export const describeRedis: typeof DescribeRedis = async (redisUrl, log) =>
  (await loadLook()).describeRedis(redisUrl, log);
