import type { PersonId, SessionId } from '@switchyard/contract';
import type { Tx } from '#storage';
import type { Person } from './workspaces.ts';

const columns = 'p.id, p.email, p.name, p.is_operator AS "isOperator"';

/** null: the address is taken. */
export async function insertPerson(tx: Tx, person: Person, passwordHash: string): Promise<Person | null> {
  const rows = await tx.query<Person & Record<string, unknown>>(
    `INSERT INTO people AS p (id, email, name, password_hash, is_operator) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (email) DO NOTHING RETURNING ${columns}`,
    [person.id, person.email, person.name, passwordHash, person.isOperator],
  );
  return rows[0] ?? null;
}

export async function findForLogin(tx: Tx, email: string): Promise<(Person & { passwordHash: string | null }) | null> {
  const rows = await tx.query<Person & { passwordHash: string | null } & Record<string, unknown>>(
    `SELECT ${columns}, p.password_hash AS "passwordHash" FROM people p WHERE p.email = $1 AND p.deleted_at IS NULL`,
    [email],
    'people-for-login',
  );
  return rows[0] ?? null;
}

export async function findPerson(tx: Tx, id: PersonId): Promise<(Person & { passwordHash: string | null }) | null> {
  const rows = await tx.query<Person & { passwordHash: string | null } & Record<string, unknown>>(
    `SELECT ${columns}, p.password_hash AS "passwordHash" FROM people p WHERE p.id = $1 AND p.deleted_at IS NULL`,
    [id],
  );
  return rows[0] ?? null;
}

/** False: the hash is another by now. True: it stays what it is to the end of this transaction. */
export async function holdPassword(tx: Tx, id: PersonId, hash: string | null): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM people WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $2 AND deleted_at IS NULL FOR SHARE',
    [id, hash],
  );
  return rows.length === 1;
}

/** False: the hash is another by now. */
export async function replacePasswordHash(
  tx: Tx,
  id: PersonId,
  { from, to }: { readonly from: string | null; readonly to: string },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE people SET password_hash = $3
     WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $2 AND deleted_at IS NULL RETURNING id`,
    [id, from, to],
  );
  return rows.length === 1;
}

/** Has this person logged in from here before? */
export async function wasHere(tx: Tx, email: string, ip: string): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM people p JOIN person_sessions s ON s.person_id = p.id WHERE p.email = $1 AND s.ip = $2 LIMIT 1',
    [email, ip],
  );
  return rows.length === 1;
}

export interface NewSession {
  readonly tokenHash: string;
  readonly id: SessionId;
  readonly personId: PersonId;
  readonly provedAt: Date;
  readonly expiresAt: Date;
  readonly userAgent: string | null;
  readonly ip: string | null;
}

export async function insertSession(tx: Tx, session: NewSession): Promise<void> {
  await tx.query(
    `INSERT INTO person_sessions (token_hash, id, person_id, proved_at, expires_at, user_agent, ip)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      session.tokenHash,
      session.id,
      session.personId,
      session.provedAt,
      session.expiresAt,
      session.userAgent,
      session.ip,
    ],
  );
}

export async function revokeSession(tx: Tx, tokenHash: string): Promise<void> {
  await tx.query('UPDATE person_sessions SET revoked_at = now() WHERE token_hash = $1 AND revoked_at IS NULL', [
    tokenHash,
  ]);
}

/** The living session's person; notes that it was seen, at most once a minute. */
export async function findSession(
  tx: Tx,
  tokenHash: string,
  idleMs: number,
): Promise<(Person & { sessionId: SessionId; provedAt: Date }) | null> {
  const rows = await tx.query<
    Person & { sessionId: SessionId; provedAt: Date; isStale: boolean } & Record<string, unknown>
  >(
    `SELECT ${columns}, s.id AS "sessionId", s.proved_at AS "provedAt", s.last_seen_at < now() - interval '1 minute' AS "isStale"
     FROM person_sessions s JOIN people p ON p.id = s.person_id AND p.deleted_at IS NULL
     WHERE s.token_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > now()
       AND s.last_seen_at > now() - $2 * interval '1 millisecond'`,
    [tokenHash, idleMs],
    'people-session',
  );
  const [row] = rows;
  if (!row) return null;
  if (row.isStale) await tx.query('UPDATE person_sessions SET last_seen_at = now() WHERE token_hash = $1', [tokenHash]);
  return row;
}
