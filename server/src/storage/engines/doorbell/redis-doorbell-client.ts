/**
 * The doorbell over Redis' publish and subscribe. One connection hears (a subscribed connection can do nothing else),
 * the shared one for commands rings. The states are those of postgres-doorbell-client.ts; ioredis brings the
 * connections back, and we listen anew, call the gap and send what waited.
 */
import type { Redis } from 'ioredis';
import type { Log } from '#kernel';
import type { Doorbell } from '../../engines.ts';
import {
  commandOptions,
  firstConnect,
  openRedis,
  type RedisConnector,
  redisHeartbeatMs,
} from '../redis-connections.ts';
import { createListeners, gapTopic, printRing } from './listeners.ts';
import { createPendingRings, type PendingRing } from './pending-rings.ts';

/** `commands`: connected, and closed by its owner after this. Rejects when the first connection fails. */
export async function createRedisDoorbell(connector: RedisConnector, commands: Redis): Promise<Doorbell> {
  const { log } = connector;
  const listeners = createListeners(log);
  const ears = openRedis(connector, 'doorbell', commandOptions(connector));
  const pending = createPendingRings({ topic: gapTopic, payload: '{}' }, (batch) => publish(commands, batch, log));
  const flush = () => void pending.flush();

  ears.on('message', (channel: string, text: string) => listeners.dispatch(channel.slice(prefix.length), text));
  await firstConnect(ears);
  await ears.subscribe(...listeners.topics.map(channelOf));
  ears.on('ready', () => void listenAnew());
  commands.on('ready', flush);
  const heartbeat = setInterval(() => void orReconnect(() => ears.ping()), redisHeartbeatMs).unref();

  async function listenAnew(): Promise<void> {
    const isListening = await orReconnect(() => ears.subscribe(...listeners.topics.map(channelOf)));
    if (!isListening) return;
    log.info({}, 'the doorbell is connected again');
    listeners.gap();
  }

  /** What fails on a living connection leaves it in an unknown state: a new one listens to everything again. */
  async function orReconnect(command: () => Promise<unknown>): Promise<boolean> {
    if (ears.status !== 'ready') return false;
    try {
      await command();
      return true;
    } catch (error) {
      log.debug({ err: error }, 'the doorbell drops a connection that failed');
      if (ears.status === 'ready') ears.disconnect(true);
      return false;
    }
  }

  return {
    async ring(topic, payload = {}) {
      await pending.add(printRing(topic, payload));
    },
    async listen(topic, heard) {
      listeners.add(topic, heard);
      await orReconnect(() => ears.subscribe(channelOf(topic)));
      return async () => {
        if (listeners.remove(topic, heard)) await orReconnect(() => ears.unsubscribe(channelOf(topic)));
      };
    },
    onGap: (heard) => listeners.onGap(heard),
    async close() {
      clearInterval(heartbeat);
      await pending.close();
      commands.off('ready', flush);
      ears.disconnect();
    },
  };
}

const prefix = 'switchyard:';

function channelOf(topic: string): string {
  return prefix + topic;
}

async function publish(commands: Redis, batch: readonly PendingRing[], log: Log): Promise<boolean> {
  if (commands.status !== 'ready') return false;
  // One by one rather than as a pipeline: ioredis' time limit is for single commands. They leave in one write all the same.
  const sent = await Promise.allSettled(batch.map((ring) => commands.publish(channelOf(ring.topic), ring.payload)));
  const lost = sent.find((outcome) => outcome.status === 'rejected');
  if (lost) log.debug({ err: lost.reason }, 'rings wait for the next connection');
  return !lost;
}
