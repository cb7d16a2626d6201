import type { Log } from '#kernel';
import { commandOptions, firstConnect, openRedis } from './redis-connections.ts';

export interface RedisDescription {
  readonly version: string;
  /** Anything but `noeviction` may throw queued jobs away when memory runs out. */
  readonly maxmemoryPolicy: string;
}

/** Asks a Redis what it is and goes away again. Throws RedisUnavailable, one line, when nobody answers. */
export async function describeRedis(redisUrl: string, log: Log): Promise<RedisDescription> {
  const connector = { redisUrl, log, random: Math.random };
  const redis = openRedis(connector, 'doctor', commandOptions(connector));
  await firstConnect(redis);
  try {
    const told = String(await redis.info());
    const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(told)?.[1] ?? 'unknown';
    return { version: fact('redis_version'), maxmemoryPolicy: fact('maxmemory_policy') };
  } finally {
    redis.disconnect();
  }
}
