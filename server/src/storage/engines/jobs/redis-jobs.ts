/** BullMQ on Redis: one connection for all that enqueues, one for all that works, and one more a worker to wait on. */
import { commonOptions, firstConnect, openRedis, type RedisConnector } from '../redis-connections.ts';
import { loadBullmq } from './bullmq.ts';
import type { JobsHome } from './bullmq-jobs.ts';

const prefix = 'switchyard:jobs';

export async function openRedisJobs(connector: RedisConnector): Promise<JobsHome> {
  // Who enqueues wants to know that Redis is away; who works waits for it to come back, as BullMQ demands.
  const asking = openRedis(connector, 'queues', { ...commonOptions(connector), maxRetriesPerRequest: 1 });
  const working = openRedis(connector, 'workers', { ...commonOptions(connector), maxRetriesPerRequest: null });
  await Promise.all([firstConnect(asking), firstConnect(working)]);
  return {
    async openQueue(name, options) {
      const { Queue } = await loadBullmq();
      return new Queue(name, { connection: asking, prefix, ...options });
    },
    async openWorker(name, process, options) {
      const { Worker } = await loadBullmq();
      return new Worker(name, process, { connection: working, prefix, ...options });
    },
    async close() {
      asking.disconnect();
      working.disconnect();
    },
  };
}
