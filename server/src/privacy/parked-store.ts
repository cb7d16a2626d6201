/** SQL of what waits for a message that was erased: a late receipt, an edit. */
import type { WorkspaceTx } from '#storage';
import { countErased } from './purge-store.ts';

/** Those events go, and the deliveries that they came in are to be masked like a redelivery. */
export async function dropWaiting(tx: WorkspaceTx): Promise<readonly { deliveryId: string; values: string[] }[]> {
  return tx.query<{ deliveryId: string; values: string[] }>(
    `WITH waiting AS MATERIALIZED (
       SELECT e.id, e.delivery_id, e.payload FROM events e
       WHERE e.workspace_id = $1 AND e.state = 'parked' AND e.wait_key IS NOT NULL AND EXISTS (
         SELECT FROM erased_messages x WHERE x.workspace_id = $1 AND x.account_id = e.account_id
           AND x.id_hash = sha256(convert_to(e.wait_key, 'UTF8')))
     ), keys AS (
       UPDATE event_keys k SET erased_at = now() FROM waiting w
       WHERE k.workspace_id = $1 AND k.event_id = w.id
     ), gone AS (
       DELETE FROM events e USING waiting w WHERE e.workspace_id = $1 AND e.id = w.id RETURNING e.delivery_id
     ), ${countErased('gone')}
     SELECT delivery_id AS "deliveryId", array(
       SELECT ltrim(n #>> '{}', '+') FROM jsonb_path_query(payload, 'lax $.customer[*].value') AS n) AS values FROM waiting`,
    [tx.workspaceId],
    'privacy-drop-waiting',
  );
}
