import { realpath } from 'node:fs/promises';
import pg from 'pg';
import { superuserName } from './cluster-folder.ts';
import { EmbeddedFailure } from './failures.ts';

/**
 * Who uses a running cluster. Each process holds one connection with a shared advisory lock; whoever leaves and can then
 * take the lock for itself was the last, and stops the server. A killed process loses its lock with its connection, so
 * nothing stale can remain, and a lock file is not needed.
 */
export interface Hold {
  /** Its connection, to the database `postgres`. */
  readonly client: pg.Client;
  /** Gives the hold back. True: nobody else has one, and nobody can take one until the server has stopped. */
  leave(): Promise<boolean>;
  /** Ends the connection without asking anything; for the case that the server is gone. */
  drop(): void;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

const lockKey = '7023617459';

/** What a server says, or a socket, while it starts, stops or recovers. */
const passingCodes = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03', '53300']);

/**
 * Takes a hold on the server at `endpoint`, checking that it serves `data`. undefined: not now (starting, stopping, or
 * its last user is about to stop it); ask again. `onLost` is called once when the connection breaks by itself.
 */
export async function takeHold(endpoint: Endpoint, data: string, onLost: () => void): Promise<Hold | undefined> {
  const client = new pg.Client({
    host: endpoint.host,
    port: endpoint.port,
    password: endpoint.password,
    user: superuserName,
    database: 'postgres',
    application_name: 'switchyard launcher',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  });
  let isOurs = true;
  client.on('error', () => {
    // Told by 'end', which follows; without a listener the process would fall.
  });
  try {
    await client.connect();
    await checkIdentity(client, data);
    const { rows } = await client.query(`SELECT pg_try_advisory_lock_shared(${lockKey}) AS held`);
    if (rows[0]?.held !== true) {
      await client.end();
      return undefined;
    }
  } catch (error) {
    await client.end().catch(ignoreBroken);
    return passOrThrow(error, data);
  }
  client.once('end', () => {
    if (isOurs) onLost();
  });
  return {
    client,
    async leave() {
      isOurs = false;
      await client.query(`SELECT pg_advisory_unlock_shared(${lockKey})`);
      const { rows } = await client.query(`SELECT pg_try_advisory_lock(${lockKey}) AS alone`);
      if (rows[0]?.alone === true) return true;
      await client.end();
      return false;
    },
    drop() {
      isOurs = false;
      client.end().catch(ignoreBroken);
    },
  };
}

async function checkIdentity(client: pg.Client, data: string): Promise<void> {
  const { rows } = await client.query('SHOW data_directory');
  const served = String(rows[0]?.data_directory);
  if ((await realpath(served)) === (await realpath(data))) return;
  throw new EmbeddedFailure('not_ours', `The server found for ${data} serves ${served}.`);
}

function passOrThrow(error: unknown, data: string): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && passingCodes.has(code)) return undefined;
  if (error instanceof Error && /terminated|timeout/i.test(error.message)) return undefined;
  if (code === '28P01') {
    throw new EmbeddedFailure(
      'not_ours',
      `A server runs on ${data}, but the password in "postgres-password" is not its own.`,
      { cause: error },
    );
  }
  throw error;
}

function ignoreBroken(): void {
  // The connection is being thrown away; that it was broken already is the usual case.
}
