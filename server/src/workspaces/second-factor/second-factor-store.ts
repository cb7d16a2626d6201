import type { PersonId } from '@switchyard/contract';
import type { Tx } from '#storage';

/** Each statement needs the person as the transaction's credential: row-level security shows nobody else's row. */

export interface StoredFactor {
  readonly secretSealed: Buffer;
  readonly confirmedAt: Date | null;
}

export async function findFactor(tx: Tx, personId: PersonId): Promise<StoredFactor | null> {
  const rows = await tx.query<StoredFactor & Record<string, unknown>>(
    'SELECT secret_sealed AS "secretSealed", confirmed_at AS "confirmedAt" FROM second_factors WHERE person_id = $1',
    [personId],
    'second-factor-find',
  );
  return rows[0] ?? null;
}

/** False: there is a confirmed one already. A new secret forgets which codes of the old were used. */
export async function offerFactor(tx: Tx, personId: PersonId, secretSealed: Buffer): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO second_factors AS f (person_id, secret_sealed) VALUES ($1, $2)
     ON CONFLICT (person_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, last_step = 0, created_at = now()
       WHERE f.confirmed_at IS NULL
     RETURNING person_id`,
    [personId, secretSealed],
  );
  return rows.length === 1;
}

/** False: a code of this step or a later one was taken before. */
export async function takeStep(tx: Tx, personId: PersonId, step: bigint): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE second_factors SET last_step = $2 WHERE person_id = $1 AND last_step < $2 RETURNING person_id',
    [personId, step],
  );
  return rows.length === 1;
}

/** False: it was confirmed before. */
export async function confirmFactor(tx: Tx, personId: PersonId): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE second_factors SET confirmed_at = now() WHERE person_id = $1 AND confirmed_at IS NULL RETURNING person_id',
    [personId],
  );
  return rows.length === 1;
}

export async function removeFactor(tx: Tx, personId: PersonId): Promise<boolean> {
  await tx.query('DELETE FROM recovery_codes WHERE person_id = $1', [personId]);
  const rows = await tx.query('DELETE FROM second_factors WHERE person_id = $1 RETURNING confirmed_at AS at', [
    personId,
  ]);
  return rows[0]?.at instanceof Date;
}

export async function replaceRecoveryCodes(tx: Tx, personId: PersonId, hashes: readonly string[]): Promise<void> {
  await tx.query('DELETE FROM recovery_codes WHERE person_id = $1', [personId]);
  await tx.query('INSERT INTO recovery_codes (person_id, code_hash) SELECT $1, unnest($2::text[])', [personId, hashes]);
}

/** False: there is none such, or it was used. */
export async function takeRecoveryCode(tx: Tx, personId: PersonId, hash: string): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE recovery_codes SET used_at = now() WHERE person_id = $1 AND code_hash = $2 AND used_at IS NULL
     RETURNING person_id`,
    [personId, hash],
  );
  return rows.length === 1;
}

export async function countRecoveryCodes(tx: Tx, personId: PersonId): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM recovery_codes WHERE person_id = $1 AND used_at IS NULL',
    [personId],
  );
  return row?.count ?? 0;
}
