/** SQL of the table `pairings`. Everything here runs inside a transaction of the account's workspace. */
import type { AccountId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

export interface PairingRow {
  readonly [column: string]: unknown;
  readonly isWanted: boolean;
  readonly generation: number;
  readonly askedAt: Date | null;
  readonly code: string | null;
  readonly image: string | null;
  readonly pairingCode: string | null;
  readonly codesShown: number;
  readonly expiresAt: Date | null;
}

const columns = `is_wanted AS "isWanted", generation, asked_at AS "askedAt", code, image, pairing_code AS "pairingCode",
  codes_shown AS "codesShown", expires_at AS "expiresAt"`;

export async function findPairing(tx: WorkspaceTx, accountId: AccountId): Promise<PairingRow | undefined> {
  const [row] = await tx.query<PairingRow>(
    `SELECT ${columns} FROM pairings WHERE workspace_id = $1 AND account_id = $2`,
    [tx.workspaceId, accountId],
    'pairings-find',
  );
  return row;
}

/** A person wants the session to run, and a fresh code where it needs one. */
export async function askPairing(tx: WorkspaceTx, accountId: AccountId): Promise<void> {
  await tx.query(
    `INSERT INTO pairings AS p (workspace_id, account_id, is_wanted, generation, asked_at) VALUES ($1, $2, true, 1, now())
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET is_wanted = true, generation = p.generation + 1,
       asked_at = now(), code = NULL, image = NULL, pairing_code = NULL, codes_shown = 0, expires_at = NULL`,
    [tx.workspaceId, accountId],
  );
}

export async function setWanted(tx: WorkspaceTx, accountId: AccountId, isWanted: boolean): Promise<void> {
  await tx.query(
    `INSERT INTO pairings (workspace_id, account_id, is_wanted) VALUES ($1, $2, $3)
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET is_wanted = EXCLUDED.is_wanted`,
    [tx.workspaceId, accountId, isWanted],
  );
}

export interface CodeToShow {
  readonly code: string | null;
  readonly image: string | null;
  readonly pairingCode: string | null;
  readonly expiresInSeconds: number;
}

export async function showCode(tx: WorkspaceTx, accountId: AccountId, shown: CodeToShow): Promise<void> {
  await tx.query(
    `INSERT INTO pairings AS p (workspace_id, account_id, code, image, pairing_code, codes_shown, shown_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, 1, now(), now() + $6 * interval '1 second')
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET code = EXCLUDED.code, image = EXCLUDED.image,
       pairing_code = EXCLUDED.pairing_code, shown_at = EXCLUDED.shown_at, expires_at = EXCLUDED.expires_at,
       codes_shown = p.codes_shown + CASE WHEN p.code IS DISTINCT FROM EXCLUDED.code THEN 1 ELSE 0 END`,
    [tx.workspaceId, accountId, shown.code, shown.image, shown.pairingCode, shown.expiresInSeconds],
  );
}

/** A code that was scanned, or that nobody may scan any more, is not kept. */
export async function dropCode(tx: WorkspaceTx, accountId: AccountId): Promise<void> {
  await tx.query(
    `UPDATE pairings SET code = NULL, image = NULL, pairing_code = NULL, expires_at = NULL
     WHERE workspace_id = $1 AND account_id = $2 AND expires_at IS NOT NULL`,
    [tx.workspaceId, accountId],
  );
}
