/**
 * Background work by BullMQ, the same code on Postgres and on Redis; postgres-jobs.ts and redis-jobs.ts say where.
 *
 * How the door's words become BullMQ's:
 * - `id` is the deduplication id, held while the job waits, is delayed or runs, and free again once it is done or has
 *   failed for good. The job's own id is always made here: on Postgres BullMQ would else create a sequence, which
 *   the server's role may not.
 * - The number of attempts belongs to who works, not to who enqueues: jobs carry a high limit, and the worker ends
 *   them. A job that took its process with it does not count as an attempt, but comes back `maxStalledCount` times
 *   only.
 * - Schedules are laid again every minute: a flush of Redis forgets them.
 */
import { randomUUID } from 'node:crypto';
import type { Job, JobsOptions, Queue, QueueOptions, UnrecoverableError, Worker, WorkerOptions } from 'bullmq';
import { assert, type Log } from '#kernel';
import type { Jobs, QueueName } from '../../engines.ts';
import { answerTimeoutMs, within } from '../reconnect.ts';
import { loadBullmq } from './bullmq.ts';

/** The parts that we use, alike on both backends. */
interface Failing {
  on(event: 'error', heard: (error: Error) => void): unknown;
}
type OpenQueue = Failing &
  Pick<Queue, 'add' | 'close' | 'getJobCounts' | 'getJobScheduler' | 'upsertJobScheduler' | 'waitUntilReady'>;
type OpenWorker = Failing & Pick<Worker, 'close' | 'name' | 'waitUntilReady'>;

/** Where the queues live. A queue or worker whose first connection failed never recovers, so none is kept. */
export interface JobsHome {
  openQueue(name: QueueName, options: Pick<QueueOptions, 'defaultJobOptions' | 'streams'>): Promise<OpenQueue>;
  openWorker(
    name: QueueName,
    process: (job: Job) => Promise<void>,
    options: Omit<WorkerOptions, 'connection'>,
  ): Promise<OpenWorker>;
  /** After all queues and workers. */
  close(): Promise<void>;
}

export interface JobsOptionsOfOurs {
  readonly log: Log;
  readonly random: () => number;
  readonly times?: Partial<JobTimes> | undefined;
}

export interface JobTimes {
  /** Before the second attempt; doubles from attempt to attempt, up to ten minutes. */
  readonly firstRetryMs: number;
  /** How often schedules are looked after. */
  readonly layAgainMs: number;
  /** A job whose worker has not been heard of for this long is given to another. */
  readonly lockMs: number;
}

const defaultTimes: JobTimes = { firstRetryMs: 1_000, layAgainMs: 60_000, lockMs: 30_000 };
/** Payloads carry ids, not copies. */
export const maxPayloadBytes = 64 * 1_024;
/** How long `close` waits for the jobs under way; they are then taken up by another worker. */
export const closeWaitMs = 10_000;
const longestRetryMs = 600_000;
const jobIdForm = /^[A-Za-z][^:\0]{0,254}$/;

const jobOptions: JobsOptions = {
  attempts: 1_000,
  backoff: { type: 'custom' },
  removeOnComplete: { age: 24 * 3_600, count: 1_000 },
  removeOnFail: { age: 14 * 24 * 3_600, count: 5_000 },
  stackTraceLimit: 10,
};

/** Nobody reads BullMQ's own events here; it keeps 10,000 a queue unless told. */
const streams = { events: { maxLen: 100 } };

interface Schedule {
  readonly queue: QueueName;
  readonly name: string;
  readonly everyMs: number;
  readonly data: JobData;
}

/** Text within JSON: what jsonb cannot hold (NUL, lone surrogates) passes through unharmed on both engines. */
interface JobData {
  readonly version: 1;
  readonly payload: string;
}

export function createBullmqJobs(home: JobsHome, options: JobsOptionsOfOurs): Jobs {
  const { log } = options;
  const times = { ...defaultTimes, ...options.times };
  const queues = new Map<QueueName, Promise<OpenQueue>>();
  const workers = new Map<QueueName, OpenWorker>();
  const schedules = new Map<string, Schedule>();
  const layAgain = setInterval(() => void laySchedules(), times.layAgainMs).unref();

  function queueOf(name: QueueName): Promise<OpenQueue> {
    const open = queues.get(name) ?? openQueue(name);
    queues.set(name, open);
    return open;
  }

  async function openQueue(name: QueueName): Promise<OpenQueue> {
    const queue = await home.openQueue(name, { defaultJobOptions: jobOptions, streams });
    queue.on('error', (error) => log.warn({ queue: name, err: error }, 'a job queue met an error'));
    try {
      await within(answerTimeoutMs, `opening the queue ${name}`, queue.waitUntilReady());
      return queue;
    } catch (error) {
      queues.delete(name);
      await queue.close();
      throw error;
    }
  }

  async function laySchedules(): Promise<void> {
    for (const schedule of schedules.values()) {
      await laySchedule(schedule).catch((error: unknown) => {
        log.warn(
          { schedule: schedule.name, err: error },
          'a schedule could not be laid again; the next try is in a minute',
        );
      });
    }
  }

  async function laySchedule({ queue: queueName, name, everyMs, data }: Schedule): Promise<void> {
    const queue = await queueOf(queueName);
    const known = await queue.getJobScheduler(name);
    if (known?.every === everyMs && known.template?.data?.payload === data.payload) return;
    await queue.upsertJobScheduler(name, { every: everyMs }, { name, data, opts: jobOptions });
  }

  return {
    async enqueue(queueName, { name, id, payload, delayMs = 0 }) {
      assert(jobIdForm.test(id), 'a job id begins with a letter and holds no colon');
      const queue = await queueOf(queueName);
      const own = { jobId: `job-${randomUUID()}`, delay: delayMs, deduplication: { id: `${name}/${id}` } };
      await within(answerTimeoutMs, `enqueueing on ${queueName}`, queue.add(name, printPayload(payload), own));
    },

    async schedule(queue, { name, everyMs, payload }) {
      assert(jobIdForm.test(name), 'the name of a schedule begins with a letter and holds no colon');
      assert(Number.isSafeInteger(everyMs) && everyMs > 0, 'a schedule is every so many whole milliseconds');
      const schedule: Schedule = { queue, name, everyMs, data: printPayload(payload) };
      await laySchedule(schedule);
      schedules.set(`${queue} ${name}`, schedule);
    },

    async work(queueName, handle, { concurrency, maxAttempts }) {
      assert(!workers.has(queueName), `one worker a process for the queue ${queueName}`);
      const { UnrecoverableError } = await loadBullmq();
      const process = async (job: Job) => {
        const attempt = job.attemptsMade + 1;
        try {
          await handle({ name: job.name, payload: parsePayload(job.data, UnrecoverableError), attempt });
        } catch (error) {
          log.warn({ queue: queueName, job: job.name, attempt, err: error }, 'a job failed');
          throw attempt >= maxAttempts ? lastFailure(error, UnrecoverableError) : error;
        }
      };
      const worker = await home.openWorker(queueName, process, workerOptions(concurrency, times, options.random));
      worker.on('error', (error) => log.warn({ queue: queueName, err: error }, 'a job worker met an error'));
      try {
        await within(answerTimeoutMs, `opening a worker for ${queueName}`, worker.waitUntilReady());
      } catch (error) {
        await worker.close(true);
        throw error;
      }
      workers.set(queueName, worker);
    },

    async counts(queueName) {
      const queue = await queueOf(queueName);
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'completed');
      const { waiting = 0, active = 0, delayed = 0, failed = 0, completed = 0 } = counts;
      return { waiting, active, delayed, failed, completed };
    },

    async close() {
      clearInterval(layAgain);
      await Promise.all([...workers.values()].map((worker) => closeWorker(worker, log)));
      const opened = await Promise.allSettled(queues.values());
      await Promise.all(opened.map(async (queue) => (queue.status === 'fulfilled' ? queue.value.close() : undefined)));
      await home.close();
    },
  };
}

function workerOptions(
  concurrency: number,
  { firstRetryMs, lockMs }: JobTimes,
  random: () => number,
): Omit<WorkerOptions, 'connection'> {
  return {
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    maxStalledCount: 20,
    runRetryDelay: 2_000,
    settings: {
      backoffStrategy: (attemptsMade) => {
        const full = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attemptsMade - 1, 30));
        return Math.round(full * (0.5 + random() / 2));
      },
    },
  };
}

async function closeWorker(worker: OpenWorker, log: Log): Promise<void> {
  try {
    await within(closeWaitMs, 'closing a worker', worker.close());
  } catch (error) {
    log.warn({ queue: worker.name, err: error }, 'jobs still under way are left to another worker');
    await worker.close(true);
  }
}

function lastFailure(error: unknown, Unrecoverable: typeof UnrecoverableError): UnrecoverableError {
  const failure = new Unrecoverable(error instanceof Error ? error.message : String(error));
  if (error instanceof Error && error.stack) failure.stack = error.stack;
  return failure;
}

function printPayload(payload: unknown): JobData {
  const text = JSON.stringify(payload ?? null);
  assert(Buffer.byteLength(text) <= maxPayloadBytes, `a job's payload is at most ${maxPayloadBytes} bytes`);
  return { version: 1, payload: text };
}

function parsePayload(data: unknown, Unrecoverable: typeof UnrecoverableError): unknown {
  if (typeof data === 'object' && data !== null && 'payload' in data && typeof data.payload === 'string') {
    return JSON.parse(data.payload);
  }
  throw new Unrecoverable('the job was not written by this version of the product');
}
