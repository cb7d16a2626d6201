/** What counts as a kill, and as having got over it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BlowName, deal } from '../../../tools/fault/runs/blows.ts';
import { summed } from '../../../tools/fault/runs/recovery.ts';
import { seeded } from '../../../tools/fault/seeded.ts';
import { Cluster } from '../../../tools/fault/stage/cluster.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-blows-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it.for([
  'postgres kill-all',
  'postgres kill-one',
  'postgres stop-immediately',
  'postgres freeze',
  'postgres disk-full',
] satisfies BlowName[])('%s is no kill where there is nothing to strike', async (name) => {
  const empty = { redis: null, smallDisk: null, gateways: [], workers: [], note: () => {} };
  expect(await deal({ ...empty, cluster: new Cluster(folder) }, name, seeded(1))).toBeNull();
});

it('tells the worst of each kind', () => {
  const seen = [5, 9, 7].map((tookMs) => ({ kind: 'worker kill', tookMs }));
  const { longestMs, byKind, never } = summed([...seen, { kind: 'gateway kill', tookMs: 3 }]);
  expect({ longestMs, byKind, never }).toEqual({
    ...{ longestMs: 9, never: [] },
    byKind: { 'worker kill': 9, 'gateway kill': 3 },
  });
});

it('tells no longest time where nobody was whole again after one of them', () => {
  const seen = [5, null, null].map((tookMs) => ({ kind: 'worker kill', tookMs }));
  expect(summed(seen)).toEqual({ longestMs: null, byKind: { 'worker kill': 5 }, never: ['worker kill'] });
  expect(summed([])).toEqual({ longestMs: null, byKind: {}, never: [] });
});
