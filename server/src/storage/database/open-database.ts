import type { WorkspaceId } from '@switchyard/contract';
import type pg from 'pg';
import { assert, type Log } from '#kernel';
import type { Planning, Row, Statement, Storage, Tx, WorkspaceTx } from '../storage.ts';
import { openRolePool } from './role-pool.ts';
import { allRoles, type RoleName, type RoleUrls } from './roles.ts';
import { checkServer } from './startup-check-store.ts';
import { connect, disconnect, runTransaction } from './transaction.ts';
import { isUnavailable, translate } from './unavailable.ts';

export interface DatabaseOptions {
  /** From `ensureRoles`. */
  readonly urls: RoleUrls;
  readonly log: Log;
  /** What the database's list of connections shows, before the role's name. */
  readonly applicationName?: string;
  readonly poolSizes?: Partial<Record<RoleName, number>>;
  /** How long a statement may last; for tests of what becomes of one that lasts longer. */
  readonly statementMs?: Partial<Record<RoleName, number>>;
  /** Takes a server without fsync: only the tests of rooms may say so. */
  readonly allowUnsafe?: boolean;
}

/**
 * With the console's ten, the jobs' twelve, the counters' four and those that listen, a process of all roles takes up to sixty: one
 * fits a server as it is shipped (100), two want `max_connections` raised, as the embedded one's is.
 */
const defaultPoolSizes = { app: 16, gateway: 6, worker: 10 } as const satisfies Record<RoleName, number>;

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const credentialShape = /^[0-9a-z-]{1,128}$/;

/**
 * Opens the three roles' pools and checks server and log-ins. Throws DatabaseRefused (a setting or a right is wrong) or
 * StorageUnavailable (nobody answers).
 */
export async function openDatabase(options: DatabaseOptions): Promise<Storage> {
  const pools = openPools(options);
  try {
    await Promise.all(allRoles.map((role) => checkServer(pools[role], role, options.allowUnsafe ?? false)));
  } catch (error) {
    await closePools(pools);
    throw translate(error);
  }
  const counts = { app: 0, worker: 0, gateway: 0 };
  const counter = (role: RoleName) => () => {
    counts[role] += 1;
  };
  const transaction = <T>(role: RoleName, begin: string, work: (tx: Tx) => Promise<T>) =>
    runTransaction(pools[role], begin, counter(role), work);
  return {
    statements: counts,
    inWorkspace: async (workspaceId, work, planning = 'as-asked') =>
      transaction('app', beginInWorkspace(workspaceId, planning), (tx) => work(withWorkspace(tx, workspaceId))),
    asStranger: async (credential, work) => transaction('app', beginAsStranger(credential), work),
    asWorker: (work) => transaction('worker', 'BEGIN', work),
    asGateway: (work) => transaction('gateway', 'BEGIN', work),
    gatewayStatement: (text, values, name) => statement(pools.gateway, counter('gateway'), { text, values, name }),
    workerStatement: (text, values, name) => statement(pools.worker, counter('worker'), { text, values, name }),
    workerStatements: (given) => statements(pools.worker, counter('worker'), given),
    close: () => closePools(pools),
  };
}

type Pools = Readonly<Record<RoleName, pg.Pool>>;

function openPools(options: DatabaseOptions): Pools {
  const open = (role: RoleName) =>
    openRolePool({
      role,
      url: options.urls[role],
      maxConnections: options.poolSizes?.[role] ?? defaultPoolSizes[role],
      applicationName: options.applicationName ?? 'switchyard',
      statementMs: options.statementMs?.[role],
      onIdleError: (error) => options.log.warn({ role, error: error.message }, 'an idle database connection broke'),
    });
  return { app: open('app'), gateway: open('gateway'), worker: open('worker') };
}

/** Until the end of the transaction. */
const plannedBy: Readonly<Record<Planning, readonly string[]>> = {
  'as-asked': [],
  'by-key': [
    `set_config('plan_cache_mode', 'force_generic_plan', true)`,
    `set_config('enable_hashjoin', 'off', true)`,
    `set_config('enable_mergejoin', 'off', true)`,
    `set_config('enable_seqscan', 'off', true)`,
  ],
};

/** The simple protocol takes both statements in one round trip, but no parameters: so the id's shape is checked here. */
function beginInWorkspace(workspaceId: WorkspaceId, planning: Planning): string {
  assert(uuidShape.test(workspaceId), 'a workspace id is a uuid');
  const settings = [`set_config('app.workspace', '${workspaceId}', true)`, ...plannedBy[planning]];
  return `BEGIN; SELECT ${settings.join(', ')}`;
}

function beginAsStranger(credential: string | null): string {
  if (credential === null) return 'BEGIN';
  assert(credentialShape.test(credential), 'a credential is a hash in hex or a uuid');
  return `BEGIN; SELECT set_config('app.credential', '${credential}', true)`;
}

function withWorkspace(tx: Tx, workspaceId: WorkspaceId): WorkspaceTx {
  return {
    workspaceId,
    query: (text, values, name) => tx.query(text, values, name),
    afterCommit: (ring) => tx.afterCommit(ring),
  };
}

async function statement<R extends Row>(pool: pg.Pool, count: () => void, query: Statement): Promise<R[]> {
  count();
  try {
    return (await pool.query<R>({ ...query, values: [...query.values] })).rows;
  } catch (error) {
    throw translate(error);
  }
}

/** The connection is given back whatever they came to, but for one on which the database could not be asked. */
async function statements(
  pool: pg.Pool,
  count: () => void,
  given: readonly Statement[],
): Promise<readonly PromiseSettledResult<Row[]>[]> {
  const client = await connect(pool);
  let settled: readonly PromiseSettledResult<Row[]>[] = [];
  try {
    const sent = given.map(async (query) => {
      count();
      try {
        return (await client.query<Row>({ ...query, values: [...query.values] })).rows;
      } catch (error) {
        throw translate(error);
      }
    });
    settled = await Promise.allSettled(sent);
    return settled;
  } finally {
    disconnect(
      client,
      settled.some((one) => one.status === 'rejected' && isUnavailable(one.reason)),
    );
  }
}

async function closePools(pools: Pools): Promise<void> {
  await Promise.all(allRoles.map((role) => pools[role].end()));
}
