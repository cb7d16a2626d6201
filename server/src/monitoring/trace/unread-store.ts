/** SQL of deliveries that nobody has read yet, and of what is known of the events in them. */
import type { AccountId, DeliveryId, Provider } from '@switchyard/contract';
import { shardOf } from '#inbox';
import type { WorkspaceTx } from '#storage';

export interface UnreadDelivery {
  readonly id: DeliveryId;
  readonly accountId: AccountId;
  readonly provider: Provider;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly receivedAt: Date;
}

export const unreadLimits = {
  /** The newest that wait, of all the accounts. */
  lookedAt: 1_000,
  /** Larger ones are not read for a search. */
  bodyBytes: 256 * 1024,
} as const;

/**
 * Those of this workspace's accounts that wait to be read and have `needle` in their bytes, the newest first. Not those of a
 * route for all, which are not the workspace's before they are read, and none that names somebody whose erasure is under way.
 */
export async function findUnread(tx: WorkspaceTx, needle: string, limit: number): Promise<UnreadDelivery[]> {
  return tx.query<UnreadDelivery & Record<string, unknown>>(
    `WITH waiting AS MATERIALIZED (
       SELECT newest.id FROM unnest($2::smallint[]) AS held (shard) CROSS JOIN LATERAL (
         SELECT i.id, i.position FROM inbox i
         WHERE i.workspace_id = $1 AND i.shard = held.shard AND i.state = 'stored' AND i.account_id IS NOT NULL
         ORDER BY i.position DESC, i.id DESC LIMIT ${unreadLimits.lookedAt}) AS newest
       ORDER BY newest.position DESC, newest.id DESC LIMIT ${unreadLimits.lookedAt})
     SELECT d.id, d.account_id AS "accountId", d.provider, d.target, d.headers, d.body, d.received_at AS "receivedAt"
     FROM waiting w JOIN deliveries d ON d.workspace_id = $1 AND d.id = w.id
     WHERE octet_length(d.body) <= ${unreadLimits.bodyBytes} AND position(convert_to($3, 'UTF8') in d.body) > 0
       AND NOT EXISTS (SELECT FROM erasures x, unnest(x.identity_values) AS named (value)
         WHERE x.workspace_id = $1 AND x.phase <> 'done' AND position(convert_to(named.value, 'UTF8') in d.body) > 0)
     ORDER BY d.id DESC LIMIT $4`,
    [tx.workspaceId, await shardsOf(tx), needle, limit],
  );
}

/** Where its accounts' deliveries wait. */
async function shardsOf(tx: WorkspaceTx): Promise<readonly number[]> {
  const { workspaceId } = tx;
  const accounts = await tx.query<{ accountId: AccountId }>(
    'SELECT id AS "accountId" FROM accounts WHERE workspace_id = $1',
    [workspaceId],
  );
  return [...new Set(accounts.map(({ accountId }) => shardOf({ accountId, workspaceId })))];
}

export interface KeyOfUnread {
  readonly accountId: AccountId;
  readonly keyHash: Buffer;
}

/** Of these keys those that were taken before, by an event that is there or by one that was erased. */
export async function findTakenKeys(tx: WorkspaceTx, keys: readonly KeyOfUnread[]): Promise<KeyOfUnread[]> {
  return tx.query<KeyOfUnread & Record<string, unknown>>(
    `SELECT k.account_id AS "accountId", k.key_hash AS "keyHash" FROM unnest($2::uuid[], $3::bytea[]) AS asked (account_id, key_hash)
     JOIN event_keys k ON k.workspace_id = $1 AND k.account_id = asked.account_id AND k.key_hash = asked.key_hash`,
    [tx.workspaceId, keys.map(({ accountId }) => accountId), keys.map(({ keyHash }) => keyHash)],
  );
}
