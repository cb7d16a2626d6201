import type { WorkspaceId } from '@switchyard/contract';
import { expect, it } from 'vitest';
import { newId } from '#kernel';
import type { DeliveryPlan, PlannedEvent } from './plan.ts';
import { portionsOf, slicesOf } from './slices.ts';

/** A delivery of `home` with so many events of `of`; only whose they are is looked at, and how many letters it has. */
function planOf(home: WorkspaceId, count: number, of: WorkspaceId = home, letters = 0): DeliveryPlan {
  const delivery = { workspaceId: home, deliveryId: newId('delivery') };
  const events = Array.from({ length: count }, () => ({ account: { workspaceId: of }, delivery }) as PlannedEvent);
  return { delivery, events, deadLetters: Array.from({ length: letters }) } as unknown as DeliveryPlan;
}

const [flooded, quiet, operator] = [newId('workspace'), newId('workspace'), newId('workspace')];

it('writes the workspaces with the least to write first, and shared deliveries after all events', () => {
  const plans = [planOf(flooded, 20), planOf(operator, 2, flooded), planOf(flooded, 20), planOf(quiet, 1)];
  const [slice] = slicesOf(plans, 500);
  const portions = portionsOf(slice!).map(({ workspaceId, events, settled }) => [
    workspaceId,
    ...[events.length, settled.length],
  ]);
  expect(portions).toEqual([
    [quiet, 1, 1],
    [flooded, 42, 2],
    [operator, 0, 1],
  ]);
});

it('cuts by events and dead letters together, and leaves the letters of one delivery together', () => {
  const plans = [planOf(quiet, 7), planOf(quiet, 2, quiet, 2), planOf(quiet, 0, quiet, 25), planOf(quiet, 12)];
  const slices = slicesOf(plans, 10).map(({ events, settled }) => [
    events.length,
    settled.map((plan) => plan.deadLetters.length),
  ]);
  expect(slices).toEqual([
    [9, [0]],
    [0, [2]],
    [0, [25]],
    [10, []],
    [2, [0]],
  ]);
});
