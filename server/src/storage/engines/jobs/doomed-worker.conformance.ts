/** A process that takes up a job, says so, and never ends it: for the test that kills it. */
import { openEngines, type ProcessOptions } from '../conformance-process.ts';

const options: ProcessOptions = JSON.parse(process.argv[2] ?? '');
const { jobs } = await openEngines(options);
const never = new Promise<void>(() => {});
await jobs.work(
  'reminders',
  ({ attempt }) => {
    process.send?.({ attempt });
    return never;
  },
  { concurrency: 1, maxAttempts: 1 },
);
