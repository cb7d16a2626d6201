import type { PersonId } from '@switchyard/contract';
import type { Tx } from '#storage';

/** Between password and code. Each statement needs the token's hash as the transaction's credential. */
export async function insertLogInStep(
  tx: Tx,
  step: { readonly tokenHash: string; readonly personId: PersonId; readonly expiresAt: Date },
): Promise<void> {
  await tx.query('INSERT INTO log_in_steps (token_hash, person_id, expires_at) VALUES ($1, $2, $3)', [
    step.tokenHash,
    step.personId,
    step.expiresAt,
  ]);
}

/** null: unknown, used or over. */
export async function findLogInStep(tx: Tx, tokenHash: string, now: Date): Promise<PersonId | null> {
  const [row] = await tx.query<{ personId: PersonId }>(
    'SELECT person_id AS "personId" FROM log_in_steps WHERE token_hash = $1 AND expires_at > $2',
    [tokenHash, now],
  );
  return row?.personId ?? null;
}

/** False: somebody else has used it meanwhile. */
export async function takeLogInStep(tx: Tx, tokenHash: string): Promise<boolean> {
  const rows = await tx.query('DELETE FROM log_in_steps WHERE token_hash = $1 RETURNING token_hash', [tokenHash]);
  return rows.length === 1;
}
