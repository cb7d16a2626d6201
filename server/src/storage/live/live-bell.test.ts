import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newId, silentLog } from '#kernel';
import { createLiveBell, liveBellLimits } from './live-bell.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { gatherMs, flushMs } = liveBellLimits;
const workspaceId: WorkspaceId = newId('workspace');

function listen() {
  const rings: number[] = [];
  const ring = async (_topic: string, payload: Readonly<Record<string, unknown>> = {}) => {
    rings.push(String(payload.account).split(',').length);
  };
  const bell = createLiveBell({ ring }, silentLog);
  return { bell, rings, change: (id: AccountId = newId('account')) => bell.note(workspaceId, 'account', id) };
}

it('rings at once for the first change, and together for those that come while it rests', async () => {
  const { bell, rings, change } = listen();
  change();
  await vi.advanceTimersByTimeAsync(gatherMs);
  expect(rings).toEqual([1]);
  change();
  change();
  await vi.advanceTimersByTimeAsync(flushMs - 1);
  expect(rings).toEqual([1]);
  await vi.advanceTimersByTimeAsync(1);
  expect(rings).toEqual([1, 2]);
  await bell.close();
});

it('is quiet again after a rest in which nothing changed, and rings no more once it is closed', async () => {
  const { bell, rings, change } = listen();
  change();
  await vi.advanceTimersByTimeAsync(gatherMs + 2 * flushMs);
  expect(vi.getTimerCount()).toBe(0);
  change();
  await vi.advanceTimersByTimeAsync(gatherMs);
  expect(rings).toEqual([1, 1]);
  change();
  await bell.close();
  expect(rings).toEqual([1, 1, 1]);
  change();
  await vi.advanceTimersByTimeAsync(2 * flushMs);
  expect(rings).toEqual([1, 1, 1]);
  expect(vi.getTimerCount()).toBe(0);
});

it('rings at most once in its pause, however much changes', async () => {
  const { bell, rings, change } = listen();
  const id = newId('account');
  for (let ms = 0; ms < 10 * flushMs; ms += 1) {
    change(id);
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(rings.length).toBeLessThanOrEqual(11);
  await bell.close();
});
