/** What is written together. Pure. */
import type { WorkspaceId } from '@switchyard/contract';
import type { DeliveryPlan, PlannedEvent } from './plan.ts';

/** Events to be written, and the deliveries that are through with them. */
export interface Slice {
  readonly events: readonly PlannedEvent[];
  readonly settled: readonly DeliveryPlan[];
}

/**
 * Cut after every `maxParts` events and dead letters, in the middle of a delivery too: it is settled after its last event,
 * together with all of its letters, and what was written before stays single by its key if a crash makes it begin anew.
 */
export function slicesOf(plans: readonly DeliveryPlan[], maxParts: number): readonly Slice[] {
  const slices: Slice[] = [];
  let events: PlannedEvent[] = [];
  let settled: DeliveryPlan[] = [];
  let parts = 0;
  const cut = () => {
    slices.push({ events, settled });
    events = [];
    settled = [];
    parts = 0;
  };
  for (const plan of plans) {
    for (const event of plan.events) {
      if (parts >= maxParts) cut();
      events.push(event);
      parts += 1;
    }
    const letters = plan.deadLetters.length;
    if (letters > 0 && parts > 0 && parts + letters > maxParts) cut();
    settled.push(plan);
    parts += letters;
  }
  if (settled.length > 0) cut();
  return slices;
}

/** One transaction: what a workspace gets of a slice. */
export interface Portion extends Slice {
  readonly workspaceId: WorkspaceId;
}

/**
 * Those with the least to write come first, so that nobody waits for the transaction of a workspace that is flooded.
 *
 * A delivery of a shared route lies in the operator's workspace while its events belong to others. It is settled after
 * all of them, in a transaction of its own, so that a crash in between repeats it and the keys absorb the repeat.
 */
export function portionsOf({ events, settled }: Slice): readonly Portion[] {
  const own = Map.groupBy(settled.filter(isAllItsOwn), (plan) => plan.delivery.workspaceId);
  const byWorkspace = Map.groupBy(events, (event) => event.account.workspaceId);
  const workspaces = [...new Set([...byWorkspace.keys(), ...own.keys()])];
  const shared = Map.groupBy(
    settled.filter((plan) => !isAllItsOwn(plan)),
    (plan) => plan.delivery.workspaceId,
  );
  return [
    ...workspaces
      .map((workspaceId) => ({
        workspaceId,
        events: byWorkspace.get(workspaceId) ?? [],
        settled: own.get(workspaceId) ?? [],
      }))
      .sort((one, other) => one.events.length - other.events.length),
    ...[...shared].map(([workspaceId, plans]) => ({ workspaceId, events: [], settled: plans })),
  ];
}

function isAllItsOwn(plan: DeliveryPlan): boolean {
  return plan.events.every((event) => event.account.workspaceId === plan.delivery.workspaceId);
}
