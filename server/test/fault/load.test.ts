/** The load waits where it is told to, and goes on. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startLoad } from '../../../tools/fault/load/load.ts';
import { reached } from '../../../tools/fault/load/reached.ts';

let folder: string;
const gateway = createServer((request, answer) => request.resume().on('end', () => answer.end()));
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-load-'));
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  gateway.close();
  rmSync(folder, { recursive: true });
});

it('begins no message beyond its bound until it is told', async () => {
  const { port } = gateway.address() as AddressInfo;
  const target = { path: '/', appSecret: 's', phoneNumberId: '1', displayNumber: '1', wabaId: '1', canary: 'c' };
  const logFile = join(folder, 'acked.ndjson');
  const load = startLoad({
    ...{ targets: [target], ports: [port], conversations: 5, total: 40, ratePerSecond: 2_000, seed: 1 },
    ...{ duplicateShare: 0, earlyShare: 0, logFile },
  });
  load.bound(10);
  expect(await reached(load, 10)).toBe(true);
  load.bound(25);
  expect(await reached(load, 25)).toBe(true);
  expect(load.progress).toMatchObject({ kind: 'progress', sent: 25, acked: 25 });
  expect(load.progress.lastAskedMs[port]).toBeGreaterThan(0);
  load.bound(null);
  expect(await reached(load, 41)).toBe(false);
  expect(await load.done(10_000)).toMatchObject({ kind: 'done', sent: 40, acked: 40 });
  expect(readFileSync(logFile, 'utf8').trim().split('\n')).toHaveLength(40);
});
