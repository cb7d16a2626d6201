import type { WorkspaceId } from '@switchyard/contract';
import { expect, it } from 'vitest';
import { newId } from '#kernel';
import type { DeliveryPlan, PlannedEvent } from './plan.ts';
import { portionsOf, slicesOf } from './slices.ts';

/** A delivery of `home` with so many events of `of`; only whose they are is looked at. */
function planOf(home: WorkspaceId, count: number, of: WorkspaceId = home): DeliveryPlan {
  const delivery = { workspaceId: home, deliveryId: newId('delivery') };
  const events = Array.from({ length: count }, () => ({ account: { workspaceId: of }, delivery }) as PlannedEvent);
  return { delivery, events, deadLetters: [] } as unknown as DeliveryPlan;
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
