import pg from 'pg';
import { schemaName } from '../schema/tables.ts';
import type { RoleName } from './roles.ts';

export interface PoolSettings {
  readonly role: RoleName;
  readonly url: string;
  readonly maxConnections: number;
  readonly applicationName: string;
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
  const pool = new pg.Pool({
    ...pipelined,
    connectionString: settings.url,
    max: settings.maxConnections,
    application_name: `${settings.applicationName} ${settings.role}`,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleConnectionMs,
    statement_timeout: limits.statementMs,
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.idleMs,
    keepAlive: true,
    options: `-c search_path=${schemaName}`,
    types,
  });
  pool.on('error', settings.onIdleError);
  return pool;
}
