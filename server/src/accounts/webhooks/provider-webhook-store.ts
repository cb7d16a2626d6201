/** SQL of `provider_webhooks`: what was set at a provider, and what had stood there before. */
import type { AccountId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

/** `setting` and `undoing`: begun, and nobody knows how it ended until the provider is asked. */
export type SettingState = 'setting' | 'set' | 'undoing' | 'undone';

export interface SettingRow {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly state: SettingState;
  readonly factsSealed: Buffer;
  readonly actor: string;
  readonly createdAt: Date;
}

export async function insertSetting(
  tx: WorkspaceTx,
  setting: {
    readonly id: string;
    readonly accountId: AccountId;
    readonly factsSealed: Buffer;
    readonly actor: string;
    readonly at: Date;
  },
): Promise<void> {
  await tx.query(
    `INSERT INTO provider_webhooks (workspace_id, id, account_id, state, facts_sealed, actor, created_at)
     VALUES ($1, $2, $3, 'setting', $4, $5, $6)`,
    [tx.workspaceId, setting.id, setting.accountId, setting.factsSealed, setting.actor, setting.at],
  );
}

/** The newest that has not been undone. */
export async function findOpenSetting(tx: WorkspaceTx, accountId: AccountId): Promise<SettingRow | null> {
  const rows = await tx.query<SettingRow>(
    `SELECT id, state, facts_sealed AS "factsSealed", actor, created_at AS "createdAt" FROM provider_webhooks
     WHERE workspace_id = $1 AND account_id = $2 AND state <> 'undone' ORDER BY created_at DESC, id DESC LIMIT 1`,
    [tx.workspaceId, accountId],
  );
  return rows[0] ?? null;
}

export async function moveSetting(tx: WorkspaceTx, id: string, state: SettingState, at: Date): Promise<void> {
  await tx.query('UPDATE provider_webhooks SET state = $3, settled_at = $4 WHERE workspace_id = $1 AND id = $2', [
    tx.workspaceId,
    id,
    state,
    at,
  ]);
}

/** Of one that the provider refused: nothing was set, so there is nothing to undo. */
export async function dropSetting(tx: WorkspaceTx, id: string): Promise<void> {
  await tx.query('DELETE FROM provider_webhooks WHERE workspace_id = $1 AND id = $2', [tx.workspaceId, id]);
}
