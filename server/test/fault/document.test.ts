/** Whatever becomes of a run, the last line of stdout is its document. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keptInvariants, soundTotals } from '../support/fault-report.ts';

const tool = join(import.meta.dirname, '..', '..', '..', 'tools', 'fault');
const done = {
  ...{ name: 'soak', seed: 4, sent: 10, acked: 10, uncertain: 0, kills: 1, recoveryMs: 7, ...soundTotals },
  ...{ invariants: keptInvariants, details: { failures: [] } },
};

/** What a process leaves behind that opens the document of a run, and then does what is said here. */
function leftBy(then: string) {
  const program = `import { openDocument } from '${tool}/document.ts';
    import { runOnce } from '${tool}/parts.ts';
    const document = openDocument({ name: 'soak', seed: 4, isJson: true });
    console.log('fetching something');
    const done = ${JSON.stringify(done)};
    ${then}`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
    encoding: 'utf8',
  });
  return { status, report: JSON.parse(stdout.trim().split('\n').at(-1) ?? '') };
}

const stopped = `process.kill(process.pid, 'SIGTERM'); await new Promise((resolve) => setTimeout(resolve, 60_000));`;
const unjudged = { sent: null, acked: null, lost: null, kills: null, crossed: null, recoveryMs: null };

it('tells what came out', () => {
  const { status, report } = leftBy(`process.exitCode = document.print(done);`);
  expect({ status, report }).toEqual({ status: 0, report: done });
});

it('says that nobody has judged when the run is stopped', () => {
  const { status, report } = leftBy(stopped);
  expect(status).toBe(130);
  expect(report).toMatchObject({
    ...unjudged,
    invariants: { I1: null },
    details: { failures: ['stopped by SIGTERM'] },
  });
});

it('tells the sum of the parts that are done when a later one is stopped', () => {
  const { status, report } = leftBy(`document.keep(done); ${stopped}`);
  expect(status).toBe(130);
  expect(report).toMatchObject({ sent: 10, lost: 0, invariants: { I1: true } });
  expect(report.details.failures).toEqual(['stopped by SIGTERM: only what was done before is told']);
});

it.each([
  [
    'over an error',
    `process.exitCode = document.print(await runOnce('soak', { seed: 4 }, () => Promise.reject(new Error('the load stands still'))));`,
  ],
  ['over an error that nobody caught', `throw new Error('the load stands still');`],
])('says that nobody has judged when the run breaks off %s', (_how, then) => {
  const { status, report } = leftBy(then);
  expect(status).toBe(1);
  expect(report).toMatchObject({ ...unjudged, invariants: { I1: null, I7: null } });
  expect(report.details.failures).toEqual([expect.stringContaining('broke off')]);
});
