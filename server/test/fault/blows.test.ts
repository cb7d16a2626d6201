/** What counts as a kill, and as having got over it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BlowName, deal } from '../../../tools/fault/runs/blows.ts';
import { judgeRecovery, summed } from '../../../tools/fault/runs/recovery.ts';
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
  expect(summed([...seen, { kind: 'gateway kill', tookMs: 3 }])).toMatchObject({
    ...{ longestMs: 9, never: [] },
    byKind: { 'worker kill': 9, 'gateway kill': 3 },
  });
});

it('tells no longest time where nobody was whole again after one of them', () => {
  const seen = [5, null, null].map((tookMs) => ({ kind: 'worker kill', tookMs }));
  expect(summed(seen)).toMatchObject({ longestMs: null, byKind: { 'worker kill': 5 }, never: ['worker kill'] });
  expect(summed([])).toEqual({ longestMs: null, byKind: {}, never: [], unseen: [], aims: [] });
  expect(judgeRecovery(summed(seen))).toEqual(['after "worker kill" nobody was whole again']);
});

it('names those to whom nobody wrote any more, and neither praises nor fails them', () => {
  const recovery = summed([{ kind: 'gateway kill', tookMs: null, wasAsked: false }]);
  expect(recovery).toMatchObject({ longestMs: null, never: [], unseen: ['gateway kill'] });
  expect(judgeRecovery(recovery)).toEqual([]);
});

it('lays the aim beside each figure, and fails what took longer than anything may', () => {
  const took = (kind: string, ms: number[]) => ms.map((tookMs) => ({ kind, tookMs }));
  const recovery = summed([...took('gateway kill', [5_100, 900, 6_200]), ...took('redis flush', [40])]);
  expect(recovery.aims).toEqual([
    { kind: 'gateway kill', aimMs: 5_000, worstMs: 6_200, count: 3, over: 2, met: false },
    { kind: 'redis flush', aimMs: 60_000, worstMs: 40, count: 1, over: 0, met: true },
  ]);
  expect(judgeRecovery(recovery)).toEqual([]);
  expect(judgeRecovery(summed(took('worker kill', [61_000])))).toHaveLength(1);
});
