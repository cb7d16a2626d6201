/** A process of a fault run: what it says is kept and read, as long as there is anybody to read it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManagedProcess } from '../../../tools/fault/stage/managed-process.ts';
import { freePort } from '../../../tools/free-ports.ts';

/** Is ready at once, tells of a crash point in two pieces, and has last words when it is asked to end. */
const program = `
import { createServer } from 'node:http';
process.on('SIGTERM', () => process.stderr.write('last words\\n', () => process.exit(0)));
process.stderr.write('{"crashPoint":"gateway.', () =>
  setTimeout(() => process.stderr.write('verified","pass":3}\\n', () =>
    createServer((_request, answer) => answer.end()).listen(Number(process.env.PORT), '127.0.0.1')), 50));
`;

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'switchyard-managed-'));
  mkdirSync(join(home, 'server/src'), { recursive: true });
  writeFileSync(join(home, 'server/src/main.ts'), program);
  writeFileSync(join(home, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(home, { recursive: true }));

it('is read by whole lines, and may have last words when its folder is gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-managed-run-'));
  const logFile = join(folder, 'process.log');
  const managed = new ManagedProcess({ name: 'worker', home, port: await freePort(), env: {}, logFile, folder });
  expect(await managed.start()).toBe('ready');
  await expect.poll(() => managed.crashes.length).toBe(1);
  expect(managed.crashes).toEqual([{ crashPoint: 'gateway.verified', pass: 3 }]);
  expect(readFileSync(logFile, 'utf8')).toBe('{"crashPoint":"gateway.verified","pass":3}\n');
  rmSync(folder, { recursive: true });
  await managed.terminate();
  expect(managed.surprises).toEqual([]);
});

it('finds it wrong when a process that is told to end falls over something on its way', async () => {
  writeFileSync(join(home, 'server/src/main.ts'), program.replace('process.exit(0)', 'process.exit(1)'));
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-managed-run-'));
  const logFile = join(folder, 'process.log');
  const managed = new ManagedProcess({ name: 'worker', home, port: await freePort(), env: {}, logFile, folder });
  await managed.start();
  await managed.terminate();
  expect(managed.surprises).toEqual([expect.stringContaining('worker ended with 1 when it was told to end')]);
  rmSync(folder, { recursive: true });
});
