/**
 * The shared level of a cache in Redis. Two keys belong to an entry: the value, and the ticket under which it may be
 * put. The ticket is random and outlives no load; `drop` deletes both, and so does a flush of Redis, after which the
 * tickets given before fit nothing.
 */
import type { Redis } from 'ioredis';
import type { Log } from '#kernel';
import { newToken } from '../../sealing/index.ts';
import type { SharedLevel } from './shared-level.ts';

/** A load that takes longer than this is not shared. */
const ticketMs = 60_000;

const lookScript = `
local value = redis.call('GET', KEYS[1])
if value then return {1, value, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
return {0, redis.call('GET', KEYS[2])}`;

const putScript = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

export function createRedisSharedLevel(redis: Redis, cacheName: string, log: Log): SharedLevel {
  const valueKey = (key: string) => `switchyard:cache:{${cacheName}:${key}}:value`;
  const ticketKey = (key: string) => `switchyard:cache:{${cacheName}:${key}}:ticket`;

  async function ask<T>(command: () => Promise<T>): Promise<T | null> {
    if (redis.status !== 'ready') return null;
    try {
      return await command();
    } catch (error) {
      log.warn({ cache: cacheName, err: error }, 'the shared level of a cache did not answer');
      return null;
    }
  }

  return {
    async look(key) {
      const reply = await ask(() => redis.eval(lookScript, 2, valueKey(key), ticketKey(key), newToken(), ticketMs));
      if (!Array.isArray(reply)) return { kind: 'away' };
      const text = String(reply[1]);
      if (reply[0] !== 1) return { kind: 'absent', ticket: text };
      return { kind: 'found', value: text, remainingMs: Number(reply[2]) };
    },
    async put(key, ticket, value, ttlMs) {
      await ask(() => redis.eval(putScript, 2, valueKey(key), ticketKey(key), ticket, value, ttlMs));
    },
    async drop(key) {
      await ask(() => redis.del(valueKey(key), ticketKey(key)));
    },
  };
}
