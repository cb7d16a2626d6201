import type { Socket } from 'node:net';
import pg from 'pg';
import { schemaName } from '../schema/tables.ts';
import type { RoleName } from './roles.ts';

export interface PoolSettings {
  readonly role: RoleName;
  readonly url: string;
  readonly maxConnections: number;
  readonly applicationName: string;
  /** Instead of the role's own limit, of a statement and of silence. */
  readonly statementMs?: number | undefined;
  /** A connection that broke while idle: for the log only, the next statement makes a new one. */
  readonly onIdleError: (error: Error) => void;
}

/** How long a statement, a wait for a lock and a transaction without statements may last. */
export const timeouts = {
  app: { statementMs: 15_000, lockMs: 5_000, idleMs: 30_000 },
  // Twilio gives up after 15 s in all, Meta wants its answer within one second.
  gateway: { statementMs: 8_000, lockMs: 3_000, idleMs: 10_000 },
  worker: { statementMs: 15_000, lockMs: 5_000, idleMs: 30_000 },
} as const satisfies Record<RoleName, { statementMs: number; lockMs: number; idleMs: number }>;

/**
 * The server cuts a statement or an idle transaction off at its limit and says so. Who has heard nothing for this much longer
 * has lost the server (its host is gone, a firewall forgot the connection), which the network itself says only after a
 * quarter of an hour. The connection is ended then, with all that was sent on it: what became of that is not known.
 */
const silenceMs = 2_000;
/** So that a connection which went silent while it was idle is gone, as a rule, before anybody asks on it. */
const keepAliveMs = 5_000;
const connectTimeoutMs = 5_000;
const idleConnectionMs = 60_000;

/**
 * Statements of one transaction that do not wait for each other go out together, one round trip for all: on a busy machine
 * each round trip waits for its turn on the processor. (pg 8.23; its types do not know the option yet.)
 */
const pipelined = { pipeline: true };

/** `date` stays as text: pg would make it midnight of the server's own time zone. All else is pg's default. */
const dateOid = 1082;
const asText = (value: string) => value;
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === dateOid && format !== 'binary') return asText;
    return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
  },
} as pg.CustomTypesConfig;

/** One role's pool. Its errors never end the process. */
export function openRolePool(settings: PoolSettings): pg.Pool {
  const limits = timeouts[settings.role];
  const statementMs = settings.statementMs ?? limits.statementMs;
  const pool = new pg.Pool({
    ...pipelined,
    connectionString: settings.url,
    max: settings.maxConnections,
    application_name: `${settings.applicationName} ${settings.role}`,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleConnectionMs,
    statement_timeout: statementMs,
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.idleMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    options: `-c search_path=${schemaName}`,
    types,
  });
  pool.on('error', settings.onIdleError);
  endSilentConnections(pool, silenceMs + (settings.statementMs ?? Math.max(limits.statementMs, limits.idleMs)));
  return pool;
}

/**
 * By the socket's own clock, which each piece of traffic sets back. pg's `query_timeout` would hold every statement with its
 * values in a timer: at full load that cost a tenth of the gateway's processor time, and 100 MB.
 */
function endSilentConnections(pool: pg.Pool, silentMs: number): void {
  const inUse = new WeakSet<pg.PoolClient>();
  pool.on('acquire', (client) => inUse.add(client));
  pool.on('release', (_error, client) => inUse.delete(client));
  pool.on('connect', (client) => {
    const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection;
    stream.setTimeout(silentMs, () => {
      if (inUse.has(client)) stream.destroy(new Error('Query read timeout'));
    });
  });
}
