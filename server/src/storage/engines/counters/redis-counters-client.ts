/**
 * Counters in Redis, where rate limits of busy senders do not cost the database a write.
 *
 * `add` while Redis is away (or slower than a second): Postgres counts, in windows of its own. Then a limit may be
 * passed by at most what Redis had counted in the window that was under way; no process counts for itself alone.
 * `claimOnce` is always Postgres': a nonce that was used must stay used when Redis is flushed.
 */
import type { Redis } from 'ioredis';
import type { Log } from '#kernel';
import type { Counters } from '../../engines.ts';
import { checkCounter } from './postgres-counters-store.ts';

const addScript = `
local total = redis.call('INCRBY', KEYS[1], ARGV[1])
local remaining = redis.call('PTTL', KEYS[1])
if remaining < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  remaining = tonumber(ARGV[2])
end
return {total, remaining}`;

const keyPrefix = 'switchyard:count:';

/** `redis` and `fallback` are closed by their owner, after this. */
export function createRedisCounters(redis: Redis, fallback: Counters, log: Log): Counters {
  return {
    async add(key, amount, windowMs) {
      checkCounter(key, amount, windowMs);
      if (redis.status !== 'ready') return fallback.add(key, amount, windowMs);
      try {
        return parseSum(await redis.eval(addScript, 1, keyPrefix + key, amount, windowMs));
      } catch (error) {
        log.warn({ err: error }, 'Redis did not count: Postgres does');
        return fallback.add(key, amount, windowMs);
      }
    },
    claimOnce: (key, windowMs) => fallback.claimOnce(key, windowMs),
    close: async () => {},
  };
}

function parseSum(reply: unknown): { readonly total: number; readonly remainingMs: number } {
  if (!Array.isArray(reply)) throw new Error('Redis answered the counting script with something else than a list');
  return { total: Number(reply[0]), remainingMs: Number(reply[1]) };
}
