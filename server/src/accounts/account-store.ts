/** SQL of the table `accounts`. Everything here runs inside a transaction of the account's workspace. */
import type { AccountId, ChannelName, Provider, WorkspaceId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { AccountSummary, ServingAccount } from './accounts.ts';

export interface AccountRow {
  readonly [column: string]: unknown;
  readonly id: AccountId;
  readonly workspaceId: WorkspaceId;
  readonly workspaceName: string;
  readonly provider: Provider;
  readonly channel: ChannelName;
  readonly name: string;
  readonly phoneNumber: string | null;
  readonly connectionStatus: AccountSummary['connectionStatus'];
  readonly connectionError: string | null;
  readonly webhookStatus: AccountSummary['webhookStatus'];
  readonly isPrimary: boolean;
  readonly isActive: boolean;
  readonly isDeleted: boolean;
  readonly settings: Readonly<Record<string, string>>;
  readonly secretsSealed: Buffer | null;
  readonly cutover: ServingAccount['cutover'];
  readonly cutoverShare: number;
  readonly version: number;
  readonly lastActivityAt: Date | null;
  readonly lastWebhookAt: Date | null;
  readonly createdAt: Date;
}

const columns = `id, workspace_id AS "workspaceId",
  (SELECT w.name FROM workspaces w WHERE w.workspace_id = accounts.workspace_id) AS "workspaceName", provider, channel, name, phone_number AS "phoneNumber",
  connection_status AS "connectionStatus", connection_error AS "connectionError", webhook_status AS "webhookStatus",
  is_primary AS "isPrimary", is_active AS "isActive", deleted_at IS NOT NULL AS "isDeleted", settings,
  secrets_sealed AS "secretsSealed", cutover, cutover_share AS "cutoverShare", version,
  last_activity_at AS "lastActivityAt", last_webhook_at AS "lastWebhookAt", created_at AS "createdAt"`;

/**
 * Changes of a workspace's accounts come one after another: who is primary, and how many are connected, depends on all of
 * them. A row of any other table may still refer to the workspace meanwhile.
 */
export async function lockAccounts(tx: WorkspaceTx): Promise<void> {
  await tx.query('SELECT 1 FROM workspaces WHERE workspace_id = $1 FOR NO KEY UPDATE', [tx.workspaceId]);
}

/** Removed ones too. */
export async function findAccount(tx: WorkspaceTx, id: AccountId): Promise<AccountRow | undefined> {
  const rows = await tx.query<AccountRow>(
    `SELECT ${columns} FROM accounts WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id],
    'accounts-find',
  );
  return rows[0];
}

export function listAccounts(tx: WorkspaceTx): Promise<AccountRow[]> {
  return tx.query<AccountRow>(
    `SELECT ${columns} FROM accounts WHERE workspace_id = $1 AND deleted_at IS NULL
     ORDER BY channel, is_primary DESC, created_at, id`,
    [tx.workspaceId],
  );
}

export interface AccountToInsert {
  readonly id: AccountId;
  readonly provider: Provider;
  readonly channel: ChannelName;
  readonly name: string;
  readonly phoneNumber: string | null;
  readonly isActive: boolean;
  readonly settings: Readonly<Record<string, string>>;
  readonly secretsSealed: Buffer;
  readonly createdBy: string | null;
}

/** The first account of a channel becomes its primary one. Nothing comes back when id or number is taken. */
export async function insertAccount(tx: WorkspaceTx, account: AccountToInsert): Promise<AccountRow | undefined> {
  const rows = await tx.query<AccountRow>(
    `INSERT INTO accounts (workspace_id, id, channel, provider, name, phone_number, is_active, settings,
       secrets_sealed, created_by, is_primary)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NOT EXISTS (
       SELECT 1 FROM accounts WHERE workspace_id = $1 AND channel = $3 AND is_primary AND deleted_at IS NULL))
     ON CONFLICT DO NOTHING
     RETURNING ${columns}`,
    [
      tx.workspaceId,
      account.id,
      account.channel,
      account.provider,
      account.name,
      account.phoneNumber,
      account.isActive,
      JSON.stringify(account.settings),
      account.secretsSealed,
      account.createdBy,
    ],
  );
  return rows[0];
}

export type AccountToUpdate = Pick<
  AccountToInsert,
  'id' | 'name' | 'phoneNumber' | 'isActive' | 'settings' | 'secretsSealed'
>;

export async function updateAccount(tx: WorkspaceTx, account: AccountToUpdate): Promise<AccountRow> {
  const rows = await tx.query<AccountRow>(
    `UPDATE accounts SET name = $3, phone_number = $4, is_active = $5, settings = $6, secrets_sealed = $7,
       version = version + 1, updated_at = now()
     WHERE workspace_id = $1 AND id = $2 RETURNING ${columns}`,
    [
      tx.workspaceId,
      account.id,
      account.name,
      account.phoneNumber,
      account.isActive,
      JSON.stringify(account.settings),
      account.secretsSealed,
    ],
  );
  return rows[0]!;
}

export async function isPhoneTaken(
  tx: WorkspaceTx,
  account: { readonly id: AccountId; readonly channel: ChannelName; readonly phoneNumber: string | null },
): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM accounts WHERE workspace_id = $1 AND channel = $2 AND phone_number = $3 AND id <> $4
       AND deleted_at IS NULL`,
    [tx.workspaceId, account.channel, account.phoneNumber, account.id],
  );
  return rows.length > 0;
}

/** In two statements: the unique index would see two primaries within one. */
export async function makePrimary(tx: WorkspaceTx, id: AccountId, channel: ChannelName): Promise<void> {
  await tx.query(
    `UPDATE accounts SET is_primary = false, version = version + 1, updated_at = now()
     WHERE workspace_id = $1 AND channel = $2 AND is_primary AND id <> $3`,
    [tx.workspaceId, channel, id],
  );
  await tx.query(
    `UPDATE accounts SET is_primary = true, version = version + 1, updated_at = now()
     WHERE workspace_id = $1 AND id = $2 AND NOT is_primary`,
    [tx.workspaceId, id],
  );
}

export async function markRemoved(tx: WorkspaceTx, id: AccountId): Promise<void> {
  await tx.query(
    `UPDATE accounts SET deleted_at = now(), is_active = false, is_primary = false, version = version + 1,
       updated_at = now()
     WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id],
  );
}

/** The oldest that is left of the channel, if it has no primary. */
export async function promoteNext(tx: WorkspaceTx, channel: ChannelName): Promise<void> {
  await tx.query(
    `UPDATE accounts SET is_primary = true, version = version + 1, updated_at = now()
     WHERE workspace_id = $1 AND id = (
       SELECT id FROM accounts WHERE workspace_id = $1 AND channel = $2 AND deleted_at IS NULL
       ORDER BY is_active DESC, created_at, id LIMIT 1)
     AND NOT EXISTS (
       SELECT 1 FROM accounts WHERE workspace_id = $1 AND channel = $2 AND is_primary AND deleted_at IS NULL)`,
    [tx.workspaceId, channel],
  );
}

/** Keeps one fact of the provider's under its name: the last QR code, the last template update. */
export async function keepMetadata(tx: WorkspaceTx, id: AccountId, name: string, fact: unknown): Promise<void> {
  await tx.query(
    `UPDATE accounts SET metadata = jsonb_set(metadata, ARRAY[$3::text], $4::jsonb), last_activity_at = now(),
       updated_at = now()
     WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id, name, JSON.stringify(fact)],
  );
}

/** `accountIds[i]` had its last authentic webhook at `times[i]`. */
export async function noteWebhooks(
  tx: WorkspaceTx,
  accountIds: readonly AccountId[],
  times: readonly Date[],
): Promise<void> {
  await tx.query(
    `UPDATE accounts a SET last_webhook_at = greatest(a.last_webhook_at, n.at),
       last_activity_at = greatest(a.last_activity_at, n.at), webhook_status = 'active'
     FROM unnest($2::uuid[], $3::timestamptz[]) AS n (id, at)
     WHERE a.workspace_id = $1 AND a.id = n.id`,
    [tx.workspaceId, accountIds, times],
  );
}
