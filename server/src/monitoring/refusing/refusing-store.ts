/** SQL of refused webhooks: of the whole deployment, by the worker's role. */
import type { RefusalReason } from '@switchyard/contract';
import type { Storage, Tx } from '#storage';
import type { Refusal, Refusals, RefusedSpan } from './refusing.ts';

type Workers = Pick<Storage, 'workerStatement'>;

export interface SpanNow extends RefusedSpan {
  readonly id: string;
  readonly nowMs: number;
  readonly isOver: boolean;
}

/** May be written again and again. Whatever is new of it is to be told. */
export async function writeSpan(storage: Workers, span: SpanNow): Promise<void> {
  await storage.workerStatement(
    `INSERT INTO refusals AS r (id, reasons, began_at, last_at, is_over)
     VALUES ($1, $2, clock_timestamp() - $3 * interval '1 millisecond', clock_timestamp() - $4 * interval '1 millisecond', $5)
     ON CONFLICT (id) DO UPDATE SET reasons = EXCLUDED.reasons, last_at = EXCLUDED.last_at, is_over = EXCLUDED.is_over,
       is_told = r.is_told AND r.reasons = EXCLUDED.reasons AND r.is_over = EXCLUDED.is_over`,
    [span.id, span.reasons, span.nowMs - span.beganMs, span.nowMs - span.lastMs, span.isOver],
    'refusing-write-span',
  );
}

/** Of a span in which nobody could write: known afterwards, by whoever finds the gap, in the transaction that closes it. */
export async function writeAbsence(tx: Tx, from: Date, until: Date): Promise<void> {
  const reasons: readonly RefusalReason[] = ['away'];
  await tx.query(
    'INSERT INTO refusals (id, reasons, began_at, last_at, is_over) VALUES (gen_random_uuid(), $1, $2, $3, true)',
    [reasons, from, until],
  );
}

export async function readRefusals(storage: Workers): Promise<Refusals> {
  const rows = await storage.workerStatement<
    { now: Date; aliveAt: Date | null } & { [K in keyof Refusal]: Refusal[K] }
  >(
    `SELECT clock_timestamp() AS now, (SELECT at FROM upkeep_marks WHERE name = 'gateway alive') AS "aliveAt",
       id, reasons, began_at AS "beganAt", last_at AS "lastAt", is_over AS "isOver", is_told AS "isTold"
     FROM refusals ORDER BY id`,
    [],
    'refusing-read',
  );
  return { now: rows[0]?.now ?? new Date(0), aliveAt: rows[0]?.aliveAt ?? null, refusals: rows };
}

/** As they were read: what has changed since is told in the next round. */
export async function markTold(storage: Workers, refusals: readonly Refusal[]): Promise<void> {
  for (const { id, reasons, isOver } of refusals)
    await storage.workerStatement(
      'UPDATE refusals SET is_told = true WHERE id = $1 AND reasons = $2 AND is_over = $3 AND NOT is_told',
      [id, reasons, isOver],
      'refusing-mark-told',
    );
}

/** The same: one that has gone on since stays. Gives those that are gone. */
export async function deleteRefusals(tx: Tx, refusals: readonly Refusal[]): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `DELETE FROM refusals r USING unnest($1::uuid[], $2::timestamptz[]) AS read (id, last_at)
     WHERE r.id = read.id AND r.last_at <= read.last_at + interval '1 millisecond' RETURNING r.id`,
    [refusals.map(({ id }) => id), refusals.map(({ lastAt }) => lastAt)],
  );
  return rows.map(({ id }) => id);
}
