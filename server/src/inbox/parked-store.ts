/** SQL of parked events: those that came before the message they belong to. */
import type { AccountId, ConversationId, EventId, InboundEvent, WorkspaceId } from '@switchyard/contract';
import { storableText } from '#conversations';
import type { KnownProviderId } from '#outbox';
import type { Storage, WorkspaceTx } from '#storage';

export interface ParkedEvent {
  readonly eventId: EventId;
  readonly accountId: AccountId;
  readonly conversationId: ConversationId | null;
  readonly event: InboundEvent;
}

/** For each message; what waits beyond that is found by the sweep. */
const maxReleased = 100;

/** Those that wait for one of these messages, in the order in which they came. */
export async function lockParked(tx: WorkspaceTx, known: readonly KnownProviderId[]): Promise<ParkedEvent[]> {
  if (known.length === 0) return [];
  return tx.query<ParkedEvent & Record<string, unknown>>(
    `SELECT e.id AS "eventId", e.account_id AS "accountId", e.conversation_id AS "conversationId", e.payload AS event
     FROM unnest($2::uuid[], $3::text[]) AS k (account_id, wait_key)
     JOIN events e ON e.workspace_id = $1 AND e.account_id = k.account_id AND e.wait_key = k.wait_key AND e.state = 'parked'
     ORDER BY e.position, e.id LIMIT $4 FOR UPDATE OF e`,
    [
      tx.workspaceId,
      known.map((one) => one.accountId),
      known.map((one) => storableText(one.providerMessageId)),
      known.length * maxReleased,
    ],
    'inbox-lock-parked',
  );
}

export async function setState(
  tx: WorkspaceTx,
  eventIds: readonly EventId[],
  state: 'handled' | 'pending' | 'ignored',
  reason: string,
): Promise<void> {
  await tx.query(
    `UPDATE events SET state = $3, reason = $4, wait_key = NULL,
       settled_at = CASE WHEN $3 = 'pending' THEN NULL ELSE clock_timestamp() END
     WHERE workspace_id = $1 AND id = ANY($2)`,
    [tx.workspaceId, eventIds, state, reason],
    'inbox-unpark',
  );
}

/**
 * Parked events whose message is there all the same: the two passed each other. Each is looked at `maxLooks` times, since
 * one that names a message it has no business with would be found for ever.
 */
export async function findPassed(
  tx: WorkspaceTx,
  { limit, maxLooks }: { readonly limit: number; readonly maxLooks: number },
): Promise<KnownProviderId[]> {
  return tx.query<KnownProviderId & Record<string, unknown>>(
    `WITH passed AS (
       SELECT e.id FROM events e
       JOIN messages m ON m.workspace_id = e.workspace_id AND m.account_id = e.account_id
         AND m.provider_message_id = e.wait_key
       WHERE e.workspace_id = $1 AND e.state = 'parked' AND e.attempts < $3 LIMIT $2),
     looked AS (
       UPDATE events e SET attempts = e.attempts + 1 FROM passed WHERE e.workspace_id = $1 AND e.id = passed.id
       RETURNING e.account_id, e.wait_key)
     SELECT DISTINCT account_id AS "accountId", wait_key AS "providerMessageId" FROM looked`,
    [tx.workspaceId, limit, maxLooks],
    'inbox-find-passed',
  );
}

export async function findWorkspacesWithParked(storage: Storage): Promise<WorkspaceId[]> {
  const rows = await storage.workerStatement<{ workspaceId: WorkspaceId }>(
    `SELECT DISTINCT workspace_id AS "workspaceId" FROM events WHERE state = 'parked'`,
    [],
    'inbox-workspaces-with-parked',
  );
  return rows.map((row) => row.workspaceId);
}

/** Those that nobody came for in `days`: they end, with the reason, and stay to be seen. */
export async function expireParked(tx: WorkspaceTx, days: number): Promise<number> {
  const rows = await tx.query(
    `UPDATE events SET state = 'ignored', reason = 'its message never came', settled_at = clock_timestamp()
     WHERE workspace_id = $1 AND state = 'parked' AND created_at < now() - $2 * interval '1 day' RETURNING id`,
    [tx.workspaceId, days],
    'inbox-expire-parked',
  );
  return rows.length;
}
