/** SQL of the table `accounts`. Everything here runs inside a transaction of the account's workspace. */
import type { AccountId, ChannelName, Provider, WorkspaceId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { AccountSummary, ServingAccount } from '../accounts.ts';

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
  readonly lastConnectedAt: Date | null;
  readonly connectionChangedAt: Date | null;
  readonly businessName: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly webhookError: string | null;
  readonly wantedWebhookEvents: readonly string[];
  readonly subscribedWebhookEvents: readonly string[] | null;
  readonly subscriptionCheckedAt: Date | null;
  readonly createdBy: string | null;
  readonly removedAt: Date | null;
  /** Instants as text, as json gives them. */
  readonly secretDates: readonly { readonly name: string; readonly setAt: string; readonly endsAt: string | null }[];
}

const columns = `id, workspace_id AS "workspaceId",
  (SELECT w.name FROM workspaces w WHERE w.workspace_id = accounts.workspace_id) AS "workspaceName", provider, channel, name, phone_number AS "phoneNumber",
  connection_status AS "connectionStatus", connection_error AS "connectionError", webhook_status AS "webhookStatus",
  is_primary AS "isPrimary", is_active AS "isActive", deleted_at IS NOT NULL AS "isDeleted", settings,
  secrets_sealed AS "secretsSealed", cutover, cutover_share AS "cutoverShare", version,
  last_activity_at AS "lastActivityAt", last_webhook_at AS "lastWebhookAt", created_at AS "createdAt",
  last_connected_at AS "lastConnectedAt", connection_changed_at AS "connectionChangedAt",
  business_name AS "businessName", metadata, webhook_error AS "webhookError",
  wanted_webhook_events AS "wantedWebhookEvents", subscribed_webhook_events AS "subscribedWebhookEvents",
  subscription_checked_at AS "subscriptionCheckedAt", created_by AS "createdBy", deleted_at AS "removedAt",
  (SELECT coalesce(json_agg(json_build_object('name', s.name, 'setAt', s.set_at, 'endsAt', s.ends_at) ORDER BY s.name),
     '[]') FROM secret_dates s WHERE s.workspace_id = accounts.workspace_id AND s.account_id = accounts.id)
    AS "secretDates"`;

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
     ORDER BY is_primary DESC, created_at DESC, id DESC`,
    [tx.workspaceId],
    'accounts-list',
  );
}

/** Begins after the account of the cursor, where that stands now. */
export function listAccountPage(
  tx: WorkspaceTx,
  page: { readonly isRemoved: boolean; readonly after: AccountId | null; readonly limit: number },
): Promise<AccountRow[]> {
  return tx.query<AccountRow>(
    `SELECT ${columns} FROM accounts WHERE workspace_id = $1 AND (deleted_at IS NOT NULL) = $2
       AND ($3::uuid IS NULL OR (is_primary, created_at, id) < (
         SELECT c.is_primary, c.created_at, c.id FROM accounts c WHERE c.workspace_id = $1 AND c.id = $3))
     ORDER BY is_primary DESC, created_at DESC, id DESC LIMIT $4`,
    [tx.workspaceId, page.isRemoved, page.after, page.limit],
    'accounts-list-page',
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
  readonly businessName: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly wantedWebhookEvents: readonly string[];
}

/** The first account of a channel becomes its primary one. Nothing comes back when id or number is taken. */
export async function insertAccount(tx: WorkspaceTx, account: AccountToInsert): Promise<AccountRow | undefined> {
  const rows = await tx.query<AccountRow>(
    `INSERT INTO accounts (workspace_id, id, channel, provider, name, phone_number, is_active, settings,
       secrets_sealed, created_by, business_name, metadata, wanted_webhook_events, is_primary)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NOT EXISTS (
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
      account.businessName,
      JSON.stringify(account.metadata),
      account.wantedWebhookEvents,
    ],
  );
  return rows[0];
}

export type AccountToUpdate = Omit<AccountToInsert, 'provider' | 'channel' | 'createdBy'>;

export async function updateAccount(tx: WorkspaceTx, account: AccountToUpdate): Promise<AccountRow> {
  const rows = await tx.query<AccountRow>(
    `UPDATE accounts SET name = $3, phone_number = $4, is_active = $5, settings = $6, secrets_sealed = $7,
       business_name = $8, metadata = $9, wanted_webhook_events = $10, version = version + 1, updated_at = now()
     WHERE workspace_id = $1 AND id = $2 RETURNING ${columns}`,
    [
      tx.workspaceId,
      account.id,
      account.name,
      account.phoneNumber,
      account.isActive,
      JSON.stringify(account.settings),
      account.secretsSealed,
      account.businessName,
      JSON.stringify(account.metadata),
      account.wantedWebhookEvents,
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

export async function markRestored(tx: WorkspaceTx, id: AccountId): Promise<void> {
  await tx.query(
    `UPDATE accounts SET deleted_at = NULL, connection_error = NULL, version = version + 1, updated_at = now()
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

/**
 * Keeps one fact of the provider's under its name: the last QR code, the last template update. A fact with a time gives
 * way to none that is older, since providers keep no order; without one the last to come stands.
 */
export async function keepMetadata(tx: WorkspaceTx, id: AccountId, name: string, fact: unknown): Promise<void> {
  await tx.query(
    `UPDATE accounts SET last_activity_at = now(), updated_at = now(), metadata = CASE
       WHEN (metadata #>> ARRAY[$3::text, 'at'])::timestamptz > ($4::jsonb ->> 'at')::timestamptz THEN metadata
       ELSE jsonb_set(metadata, ARRAY[$3::text], $4::jsonb) END
     WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id, name, JSON.stringify(fact)],
  );
}
