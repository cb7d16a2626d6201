/** What a provider kept while its account was away is asked for when the account returns. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { expect, test, vi } from 'vitest';
import { reconcileLimits } from '#inbox';
import { newId, silentLog } from '#kernel';
import type { Engines } from '#storage';
import { askForAbsence } from '../../src/compose/upkeep/returned.ts';

const until = new Date('2026-03-01T12:00:00Z');
const ids = { workspaceId: newId('workspace') as WorkspaceId, accountId: newId('account') as AccountId };

function asked(awayMs: number) {
  const enqueue = vi.fn<Engines['jobs']['enqueue']>(async () => {});
  const from = new Date(until.getTime() - awayMs);
  askForAbsence({ jobs: { enqueue } as unknown as Engines['jobs'] }, silentLog, { ...ids, from, until });
  return enqueue.mock.calls.map(([queue, job]) => ({ queue, ...job }));
}

test('with what came shortly before, by a job of its own', () => {
  const [job, ...others] = asked(3_600_000);
  expect(others).toEqual([]);
  expect(job).toMatchObject({
    ...{ queue: 'maintenance', name: 'reconcile' },
    payload: {
      reason: 'downtime',
      from: new Date(until.getTime() - 3_600_000 - reconcileLimits.overlapMs).toISOString(),
      until: until.toISOString(),
    },
  });
});

test('not for a blink, and no further back than may be asked for', () => {
  expect(asked(reconcileLimits.downtimeMs - 1)).toEqual([]);
  const [job] = asked(200 * 86_400_000);
  const from = (job!.payload as { from: string }).from;
  expect(until.getTime() - new Date(from).getTime()).toBe(reconcileLimits.maxSpanDays * 86_400_000);
});
