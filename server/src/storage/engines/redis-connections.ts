/** How this room connects to Redis: one place for time limits and for coming back. */
import { type RedisOptions as AllRedisOptions, Redis } from 'ioredis';
import type { Log } from '#kernel';
import { answerTimeoutMs, reconnectWaitMs, within } from './reconnect.ts';
import { RedisUnavailable } from './redis-unavailable.ts';

type RedisOptions = Omit<AllRedisOptions, 'replyMapping'>;

export interface RedisConnector {
  readonly redisUrl: string;
  readonly log: Log;
  readonly random: () => number;
}

/** A Redis that is slower than this is treated as away by what has another way to its answer. */
const commandTimeoutMs = 1_000;

/**
 * Whoever waits for Redis is whole again within two seconds of its being reachable: no pause between two attempts is
 * longer than the first, no attempt than the second, and a connection that does not close by itself is destroyed. One
 * small attempt a second from each process is nothing to a Redis.
 */
const longestPauseMs = 1_000;
const connectTimeoutMs = 2_000;
const disconnectTimeoutMs = 100;
/** How often an idle connection that must hear is asked whether it is still there; its answer has `commandTimeoutMs`. */
export const redisHeartbeatMs = 1_000;

/**
 * A connection for single commands: while it is down they fail at once instead of queueing, and after a loss none is
 * sent twice, since nobody knows whether the first was carried out.
 */
export function commandOptions(connector: RedisConnector): RedisOptions {
  return {
    ...commonOptions(connector),
    commandTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Without this ioredis (6.0.0) forgets what was under way at a loss, and those who wait are never told.
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
  };
}

export function commonOptions(connector: RedisConnector): RedisOptions {
  return {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: disconnectTimeoutMs,
    keepAlive: 10_000,
    retryStrategy: (attempt) => reconnectWaitMs(attempt - 1, connector.random, longestPauseMs),
  };
}

/** A connection that comes back by itself and logs its losses; why it never came about, whoever opens it is told. */
export function openRedis(connector: RedisConnector, name: string, options: RedisOptions): Redis {
  const redis = new Redis(connector.redisUrl, { ...options, connectionName: `switchyard-${name}` });
  let wasReady = false;
  redis.once('ready', () => {
    wasReady = true;
  });
  redis.on('error', (error) => {
    if (wasReady) connector.log.warn({ connection: name, err: error }, 'the connection to Redis failed');
  });
  return redis;
}

/** Throws RedisUnavailable, one line without the password, when the first attempt fails. */
export async function firstConnect(redis: Redis): Promise<void> {
  let last: Error | undefined;
  const note = (error: Error) => {
    last = error;
  };
  redis.on('error', note);
  try {
    await within(2 * answerTimeoutMs, 'connecting', redis.connect());
  } catch (error) {
    // ioredis says only that the connection is closed; what closed it came as an event.
    const cause = last ?? error;
    redis.disconnect();
    const { host, port } = redis.options;
    throw new RedisUnavailable(`no Redis answers at ${host}:${port} (REDIS_URL): ${reason(cause)}`, { cause });
  } finally {
    redis.off('error', note);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
