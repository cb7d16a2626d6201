/** BullMQ's Postgres backend, in a schema of our own, on one pool for all queues and workers of the process. */
import { createRequire } from 'node:module';
import type { BackendFactory, PgPool, PostgresQueueBackend } from 'bullmq';
import { Client, escapeIdentifier, Pool } from 'pg';
import { type Log, once } from '#kernel';
import { ignoreBreak, outliveBreaks } from '../../database/outlive-breaks.ts';
import { queueNames } from '../../engines.ts';
import { answerTimeoutMs } from '../reconnect.ts';
import { loadBullmq } from './bullmq.ts';
import type { JobsHome } from './bullmq-jobs.ts';

export const jobsSchema = 'switchyard_jobs';
/** Each worker keeps one connection to listen with; these are for the statements of all of them. */
const statementConnections = 6;

/**
 * Makes or updates the tables of the job queues, and lets `grantTo` (role names) work with them without owning them.
 * Runs as the owner of the database, with the other migrations; run again it changes nothing. Safe to run from
 * several processes at once. What was made by which version, and for whom, is noted at the schema, so that a start can see
 * that there is nothing to do (`jobsNote`): BullMQ's own look alters its table, which every other process would notice.
 */
export async function prepareJobs(
  ownerConnectionString: string,
  grantTo: readonly string[],
  schema: string = jobsSchema,
): Promise<void> {
  const client = new Client({ connectionString: ownerConnectionString });
  client.on('error', ignoreBreak);
  await client.connect();
  try {
    // BullMQ locks its own migrations; grants that meet fail, so both go one process at a time. Ends with the session.
    await client.query(`SELECT pg_advisory_lock(hashtext('switchyard job queues'), hashtext($1))`, [schema]);
    const { runMigrations, quoteSchemaName } = await loadBullmq();
    await runMigrations(client, schema);
    const quoted = quoteSchemaName(schema);
    for (const role of grantTo) await client.query(grants(client.escapeIdentifier(role), quoted));
    await client.query(`COMMENT ON SCHEMA ${quoted} IS ${client.escapeLiteral(jobsNote(grantTo))}`);
  } finally {
    await client.end();
  }
}

/** What stands at the schema when it is as this program would make it. */
export function jobsNote(grantTo: readonly string[]): string {
  return `made by BullMQ ${bullmqVersion()} for ${grantTo.join(', ')}`;
}

function bullmqVersion(): string {
  const described = createRequire(import.meta.url)('bullmq/package.json') as { readonly version: string };
  return described.version;
}

function grants(role: string, schema: string): string {
  return `
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role};`;
}

export function openPostgresJobs(connectionString: string, log: Log, schema: string = jobsSchema): JobsHome {
  const pool = new Pool({
    connectionString,
    max: statementConnections + queueNames.length,
    options: `-c search_path=${escapeIdentifier(schema)}`,
    application_name: 'switchyard jobs',
    connectionTimeoutMillis: answerTimeoutMs,
    keepAlive: true,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'an idle connection of the job queues was lost'));
  // BullMQ's transactions check out connections that nobody listens to.
  outliveBreaks(pool);
  // BullMQ adds a listener for each queue and worker, and takes none away.
  pool.setMaxListeners(4 * queueNames.length);
  // BullMQ describes the parts of pg that it uses in types of its own, which pg's do not fit to the letter.
  const connection = pool as unknown as PgPool;
  const load = once(() => classesIn(schema));
  return {
    async openQueue(name, options) {
      const { Queue } = await load();
      return new Queue(name, { connection, ...options });
    },
    async openWorker(name, process, options) {
      const { Worker } = await load();
      return new Worker(name, process, { connection, ...options });
    },
    close: () => pool.end(),
  };
}

/** As BullMQ's createPostgresBackend (6.7.0) does it, but for the schema. */
async function classesIn(schema: string) {
  const { PostgresConnection, PostgresQueueBackend: Backend, withBackend } = await loadBullmq();
  /** BullMQ takes the schema from a connection's settings only, and with a pool of ours assumes its own name for it. */
  class ConnectionInSchema extends PostgresConnection {
    override readonly schema = schema;
  }
  const inSchema: BackendFactory<PostgresQueueBackend, PgPool> = (name, options, { withBlockingConnection } = {}) => {
    const connection = new ConnectionInSchema(options.connection);
    return new Backend(connection, name, options, true, withBlockingConnection ? name : undefined);
  };
  return withBackend(inSchema);
}
