/** What a run ends when it ends itself: its own children, and nobody who has their numbers since. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const leftovers = fileURLToPath(new URL('../../../tools/fault/stage/leftovers.ts', import.meta.url));

it('ends a child of its own, and leaves a stranger alone that its number has passed to', async () => {
  const stranger = spawn('sleep', ['60']);
  await once(stranger, 'spawn');
  const run = `
    import { spawn } from 'node:child_process';
    import { endWithUs } from ${JSON.stringify(leftovers)};
    const child = spawn('sleep', ['60']);
    endWithUs(() => child.pid);
    endWithUs(() => ${stranger.pid});
    console.log(child.pid);
    process.exit(0);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', run], { encoding: 'utf8' });
  expect(stderr).toBe('');
  await expect.poll(() => isRunning(Number(stdout))).toBe(false);
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  stranger.kill();
});

function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !readFileSync(file, 'utf8').includes(') Z ');
}
