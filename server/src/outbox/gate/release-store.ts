import { type AccountId, isPaired, type MessageId, providers } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import { lanes } from '../dispatch/limits.ts';
import { notConnectedCode } from './connection-hold.ts';

const pairedProviders = providers.filter(isPaired);

/**
 * What was held since the account was not connected is due at once, in its order. Messages are locked before their
 * outbox rows, as settling does. Nothing where a phone is to be linked and is not there yet.
 */
export async function releaseHeld(tx: WorkspaceTx, accountId: AccountId): Promise<readonly MessageId[]> {
  const rows = await tx.query<{ messageId: MessageId }>(
    `WITH held AS MATERIALIZED (
       SELECT o.id, m.id AS message_id FROM outbox o
         JOIN accounts a ON a.workspace_id = o.workspace_id AND a.id = o.account_id
         JOIN messages m ON m.workspace_id = o.workspace_id AND m.id = o.message_id
        WHERE o.workspace_id = $1 AND o.account_id = $2 AND o.state = 'queued' AND o.lane = ANY($3::text[])
          AND m.error->>'code' = $4 AND (a.connection_status = 'connected' OR a.provider <> ALL($5::text[]))
        ORDER BY m.id FOR UPDATE OF m
     ), due AS (
       UPDATE outbox o SET due_at = LEAST(o.due_at, now()) FROM held h
        WHERE o.workspace_id = $1 AND o.id = h.id AND o.state = 'queued'
     )
     UPDATE messages m SET error = NULL FROM held h WHERE m.workspace_id = $1 AND m.id = h.message_id
       RETURNING m.id AS "messageId"`,
    [tx.workspaceId, accountId, lanes, notConnectedCode, pairedProviders],
    'gate-release-held',
  );
  return rows.map(({ messageId }) => messageId);
}
