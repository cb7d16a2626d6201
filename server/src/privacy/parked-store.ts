/** SQL of what waits for a message that was erased: a late receipt, an edit. */
import type { DeliveryId, EventId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import { countErased } from './purge-store.ts';

export interface Waiting {
  readonly eventId: EventId;
  readonly deliveryId: DeliveryId;
  readonly identityValues: readonly string[];
}

/** Those events, and by what their deliveries name the person. */
export async function findWaiting(tx: WorkspaceTx): Promise<Waiting[]> {
  return tx.query<Waiting & Record<string, unknown>>(
    `SELECT e.id AS "eventId", e.delivery_id AS "deliveryId", array(
       SELECT ltrim(n #>> '{}', '+') FROM jsonb_path_query(e.payload, 'lax $.customer[*].value') AS n) AS "identityValues"
     FROM events e
     WHERE e.workspace_id = $1 AND e.state = 'parked' AND e.wait_key IS NOT NULL AND EXISTS (
       SELECT FROM erased_messages x WHERE x.workspace_id = $1 AND x.account_id = e.account_id
         AND x.id_hash = sha256(convert_to(e.wait_key, 'UTF8')))`,
    [tx.workspaceId],
    'privacy-find-waiting',
  );
}

/** They go; their keys stay, marked, so that a redelivery finds them taken. */
export async function dropWaiting(tx: WorkspaceTx, eventIds: readonly EventId[]): Promise<void> {
  await tx.query(
    `WITH keys AS (
       UPDATE event_keys SET erased_at = now() WHERE workspace_id = $1 AND event_id = ANY($2::uuid[])
     ), gone AS (
       DELETE FROM events WHERE workspace_id = $1 AND id = ANY($2::uuid[]) RETURNING delivery_id
     ), ${countErased('gone')}
     SELECT`,
    [tx.workspaceId, eventIds],
    'privacy-drop-waiting',
  );
}
