import type { PersonId, SessionId } from '@switchyard/contract';
import type { Storage, Tx } from '#storage';
import { sessionIdleMs, sessionKeptMs } from './log-in-limits.ts';

export interface SessionFacts {
  readonly id: SessionId;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

const isAlive = `revoked_at IS NULL AND expires_at > now() AND last_seen_at > now() - ${sessionIdleMs} * interval '1 millisecond'`;

/** The person's living sessions, the last seen first. */
export function listSessions(tx: Tx, personId: PersonId): Promise<SessionFacts[]> {
  return tx.query<SessionFacts & Record<string, unknown>>(
    `SELECT id, user_agent AS "userAgent", ip, created_at AS "createdAt", last_seen_at AS "lastSeenAt",
            expires_at AS "expiresAt"
     FROM person_sessions WHERE person_id = $1 AND ${isAlive} ORDER BY last_seen_at DESC, id LIMIT 200`,
    [personId],
  );
}

/** One of the person's, or with `but` all others of theirs. Gives those that ended. */
export async function revokeSessions(
  tx: Tx,
  personId: PersonId,
  which: { readonly id: SessionId } | { readonly but: SessionId | null },
): Promise<SessionId[]> {
  const rows = await tx.query<{ id: SessionId }>(
    `UPDATE person_sessions SET revoked_at = now()
     WHERE person_id = $1 AND ${isAlive} AND ($2::uuid IS NULL OR id = $2) AND ($3::uuid IS NULL OR id <> $3)
     RETURNING id`,
    [personId, 'id' in which ? which.id : null, 'but' in which ? which.but : null],
  );
  return rows.map(({ id }) => id);
}

export async function noteProof(tx: Tx, id: SessionId, at: Date): Promise<void> {
  await tx.query('UPDATE person_sessions SET proved_at = $2 WHERE id = $1', [id, at]);
}

/** What ended long ago, and log-ins that stopped half-way. Gives how many rows. */
export async function deleteEndedSessions(storage: Storage): Promise<number> {
  const kept = `interval '1 millisecond' * ${sessionKeptMs}`;
  const sessions = await storage.asStranger(null, (tx) =>
    tx.query(
      `DELETE FROM person_sessions
       WHERE least(revoked_at, expires_at, last_seen_at + ${sessionIdleMs} * interval '1 millisecond') < now() - ${kept}
       RETURNING id`,
    ),
  );
  const steps = await storage.asWorker((tx) =>
    tx.query('DELETE FROM log_in_steps WHERE expires_at < now() RETURNING 1'),
  );
  return sessions.length + steps.length;
}
