import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type EnginesUnderTest, eventually, gate } from '../conformance.ts';
import { maxPayloadBytes } from './bullmq-jobs.ts';

const single = { concurrency: 1, maxAttempts: 1 };

export function jobsConformance(under: EnginesUnderTest): void {
  describe(`jobs on ${under.name}`, () => {
    it('are worked off in another process, with name, payload and attempt', async () => {
      const [asking, working] = [await under.open(), await under.open()];
      const seen: unknown[] = [];
      const payload = { version: 1, orderId: '0198c0de', text: 'NUL \0, half \ud800, 😀', list: [1, null] };
      await asking.jobs.enqueue('order-processing', { name: 'confirm', id: 'order-1', payload });
      await asking.jobs.enqueue('order-processing', { name: 'confirm', id: 'order-2', payload: null });
      await working.jobs.work('order-processing', async (job) => void seen.push(job), single);
      await eventually(() => expect(seen).toHaveLength(2));
      expect(seen).toEqual([
        { name: 'confirm', payload, attempt: 1 },
        { name: 'confirm', payload: null, attempt: 1 },
      ]);
      await eventually(async () => {
        const counts = await asking.jobs.counts('order-processing');
        expect(counts).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0, completed: 2 });
      });
    });

    it('are one job when the same id comes twice, from whichever process, until it is done', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const job = { name: 'send', id: 'invoice-1', payload: {} };
      await Promise.all(
        Array.from({ length: 40 }, (_, n) => (n % 2 ? one : two).jobs.enqueue('invoice-processing', job)),
      );
      expect(await one.jobs.counts('invoice-processing')).toMatchObject({ waiting: 1 });
      let worked = 0;
      const { opened, open } = gate();
      await two.jobs.work(
        'invoice-processing',
        async () => {
          worked += 1;
          await opened;
        },
        single,
      );
      await eventually(() => expect(worked).toBe(1));
      await one.jobs.enqueue('invoice-processing', job);
      expect(await one.jobs.counts('invoice-processing')).toMatchObject({ waiting: 0, active: 1 });
      open();
      await eventually(async () => {
        expect(await one.jobs.counts('invoice-processing')).toMatchObject({ active: 0, completed: 1 });
      });
      await one.jobs.enqueue('invoice-processing', job);
      await eventually(() => expect(worked).toBe(2));
    });

    it('are different jobs when only the name is the same', async () => {
      const { jobs } = await under.open();
      await jobs.enqueue('maintenance', { name: 'sweep', id: 'a', payload: {} });
      await jobs.enqueue('maintenance', { name: 'sweep', id: 'b', payload: {} });
      await jobs.enqueue('maintenance', { name: 'mend', id: 'a', payload: {} });
      expect(await jobs.counts('maintenance')).toMatchObject({ waiting: 3 });
    });

    it('wait for their delay', async () => {
      const { jobs } = await under.open();
      const started = performance.now();
      const { opened, open } = gate<number>();
      await jobs.enqueue('reminders', { name: 'due', id: 'later', payload: {}, delayMs: 300 });
      expect(await jobs.counts('reminders')).toMatchObject({ waiting: 0, delayed: 1 });
      await jobs.work('reminders', async () => open(performance.now() - started), single);
      expect(await opened).toBeGreaterThan(290);
    });

    it('are tried again, later, until they succeed', async () => {
      const { jobs } = await under.open();
      const attempts: number[] = [];
      await jobs.enqueue('campaigns', { name: 'expand', id: 'shaky', payload: {} });
      await jobs.work(
        'campaigns',
        async ({ attempt }) => {
          attempts.push(attempt);
          if (attempt < 3) throw new Error('not yet');
        },
        { concurrency: 1, maxAttempts: 5 },
      );
      await eventually(async () => {
        expect(await jobs.counts('campaigns')).toMatchObject({ failed: 0, completed: 1, delayed: 0 });
      });
      expect(attempts).toEqual([1, 2, 3]);
    });

    it('are failed after the last attempt, and counted as such; their id is free again', async () => {
      const { jobs } = await under.open();
      const attempts: number[] = [];
      const job = { name: 'run', id: 'hopeless', payload: {} };
      await jobs.enqueue('migrations', job);
      await jobs.work(
        'migrations',
        async ({ attempt }) => {
          attempts.push(attempt);
          throw new Error('never');
        },
        { concurrency: 1, maxAttempts: 2 },
      );
      await eventually(async () => expect(await jobs.counts('migrations')).toMatchObject({ failed: 1 }));
      expect(attempts).toEqual([1, 2]);
      await jobs.enqueue('migrations', job);
      await eventually(async () => expect(await jobs.counts('migrations')).toMatchObject({ failed: 2 }));
      expect(attempts).toEqual([1, 2, 1, 2]);
    });

    it('run as many at once as the worker was told, and no more', async () => {
      const { jobs } = await under.open();
      const { opened, open } = gate();
      let inside = 0;
      for (let n = 0; n < 5; n += 1) await jobs.enqueue('campaigns', { name: 'slice', id: `slice-${n}`, payload: {} });
      await jobs.work(
        'campaigns',
        async () => {
          inside += 1;
          await opened;
        },
        { concurrency: 3, maxAttempts: 1 },
      );
      await eventually(() => expect(inside).toBe(3));
      expect(await jobs.counts('campaigns')).toMatchObject({ active: 3, waiting: 2 });
      open();
      await eventually(() => expect(inside).toBe(5));
    });

    it('are done every so often when scheduled, once for all processes that schedule and work', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const everyMs = 250;
      const fired: number[] = [];
      for (const { jobs } of [one, two]) {
        await jobs.schedule('maintenance', { name: 'sweep', everyMs, payload: { version: 1 } });
        await jobs.work('maintenance', async () => void fired.push(performance.now()), single);
        await jobs.schedule('maintenance', { name: 'sweep', everyMs, payload: { version: 1 } });
      }
      await eventually(() => expect(fired.length).toBeGreaterThanOrEqual(5));
      // The first may come at once, the second at the next beat: from there on the beat is kept.
      expect(fired[4]! - fired[1]!).toBeGreaterThan(2.5 * everyMs);
    });

    it('follow the newest schedule of a name', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const seen: unknown[] = [];
      await one.jobs.schedule('maintenance', { name: 'sweep', everyMs: 3_600_000, payload: 'old' });
      await two.jobs.schedule('maintenance', { name: 'sweep', everyMs: 100, payload: 'new' });
      await two.jobs.work('maintenance', async ({ payload }) => void seen.push(payload), single);
      await eventually(() => expect(seen.filter((payload) => payload === 'new').length).toBeGreaterThanOrEqual(2));
    });

    it('are still worked off after every connection was lost', async () => {
      const [asking, working] = [await under.open(), await under.open()];
      const seen: string[] = [];
      await working.jobs.work('reminders', async ({ name }) => void seen.push(name), single);
      await asking.jobs.enqueue('reminders', { name: 'before', id: 'before', payload: {} });
      // Until it is recorded as done: a cut before that has the job done again, as "at least once" allows.
      await eventually(async () => expect(await asking.jobs.counts('reminders')).toMatchObject({ completed: 1 }));
      await under.cutJobs();
      await eventually(() => asking.jobs.enqueue('reminders', { name: 'after', id: 'after', payload: {} }));
      await eventually(() => expect(seen).toEqual(['before', 'after']));
    });

    it('are done by another process when theirs was killed, without costing an attempt', async () => {
      const { jobs } = await under.open();
      await jobs.enqueue('reminders', { name: 'due', id: 'orphan', payload: {} });
      const script = join(import.meta.dirname, 'doomed-worker.conformance.ts');
      const doomed = fork(script, [JSON.stringify(under.processOptions())], { execArgv: [] });
      const gone = once(doomed, 'exit');
      try {
        expect((await once(doomed, 'message'))[0]).toEqual({ attempt: 1 });
      } finally {
        doomed.kill('SIGKILL');
        await gone;
      }
      const attempts: number[] = [];
      await jobs.work('reminders', async ({ attempt }) => void attempts.push(attempt), single);
      await eventually(() => expect(attempts).toEqual([1]));
      await eventually(async () => expect(await jobs.counts('reminders')).toMatchObject({ active: 0, completed: 1 }));
    });

    it('are finished before the engines close', async () => {
      const [engines, other] = [await under.open(), await under.open()];
      const { opened, open } = gate();
      const started = gate();
      const order: string[] = [];
      await engines.jobs.enqueue('reminders', { name: 'slow', id: 'slow', payload: {} });
      await engines.jobs.work(
        'reminders',
        async () => {
          started.open();
          await opened;
          order.push('done');
        },
        single,
      );
      await started.opened;
      const closed = engines.close().then(() => order.push('closed'));
      open();
      await closed;
      expect(order).toEqual(['done', 'closed']);
      expect(await other.jobs.counts('reminders')).toMatchObject({ active: 0, completed: 1 });
    });

    it('refuse a payload that is too large and an id that is not one', async () => {
      const { jobs } = await under.open();
      const large = { name: 'a', id: 'a', payload: 'x'.repeat(maxPayloadBytes) };
      await expect(jobs.enqueue('reminders', large)).rejects.toThrow('65536 bytes');
      await expect(jobs.enqueue('reminders', { name: 'a', id: 'a:b', payload: {} })).rejects.toThrow('colon');
      await expect(jobs.enqueue('reminders', { name: 'a', id: '1', payload: {} })).rejects.toThrow('letter');
    });
  });
}
