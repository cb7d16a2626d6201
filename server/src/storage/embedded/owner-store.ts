import { createHmac } from 'node:crypto';
import pg from 'pg';

/** The log-in that owns the database and runs the migrations: not a superuser, as it would not be one elsewhere. */
export const ownerName = 'switchyard_owner';
export const databaseName = 'switchyard';

export function ownerPassword(superuserPassword: string): string {
  return createHmac('sha256', superuserPassword).update('owner').digest('base64url');
}

/** Makes owner and database when they are missing. Safe when two processes do it at once. */
export async function ensureOwnerAndDatabase(superuserUrl: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl, application_name: 'switchyard launcher' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(7023617460)');
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ownerName]);
    if (role.rowCount === 0) await client.query(`CREATE ROLE ${ownerName} LOGIN CREATEROLE`);
    await client.query(`ALTER ROLE ${ownerName} PASSWORD '${password}'`);
    const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName} OWNER ${ownerName}`);
  } finally {
    await client.end();
  }
}
