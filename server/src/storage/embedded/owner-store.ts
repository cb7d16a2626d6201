import { createHmac } from 'node:crypto';
import type pg from 'pg';

/** The log-in that owns the database and runs the migrations: not a superuser, as it would not be one elsewhere. */
export const ownerName = 'switchyard_owner';
export const databaseName = 'switchyard';

export function ownerPassword(superuserPassword: string): string {
  return createHmac('sha256', superuserPassword).update('owner').digest('base64url');
}

/** Makes owner and database when they are missing. Safe when two processes do it at once. */
export async function ensureOwnerAndDatabase(client: pg.Client, password: string): Promise<void> {
  if (await hasBoth(client)) return;
  await client.query('SELECT pg_advisory_lock(7023617460)');
  try {
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ownerName]);
    if (role.rowCount === 0) await client.query(`CREATE ROLE ${ownerName} LOGIN CREATEROLE`);
    await client.query(`ALTER ROLE ${ownerName} PASSWORD '${password}'`);
    const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName} OWNER ${ownerName}`);
  } finally {
    await client.query('SELECT pg_advisory_unlock(7023617460)');
  }
}

async function hasBoth(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ found: string }>(
    `SELECT (SELECT count(*) FROM pg_authid WHERE rolname = $1 AND rolpassword IS NOT NULL)
       + (SELECT count(*) FROM pg_database WHERE datname = $2) AS found`,
    [ownerName, databaseName],
  );
  return rows[0]?.found === '2';
}
