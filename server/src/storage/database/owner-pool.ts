import pg from 'pg';
import { schemaName } from '../schema/tables.ts';
import { ignoreBreak, outliveBreaks } from './outlive-breaks.ts';
import { translate } from './unavailable.ts';

/**
 * The owner's connections: migrations, partitions, log-ins. The search path names our schema only, so that no statement
 * can reach a legacy table of the same name in `public`.
 */
export async function withOwnerPool<T>(ownerUrl: string, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({
    connectionString: ownerUrl,
    max: 2,
    application_name: 'switchyard owner',
    connectionTimeoutMillis: 10_000,
    options: `-c search_path=${schemaName}`,
  });
  pool.on('error', ignoreBreak);
  outliveBreaks(pool);
  try {
    return await work(pool);
  } catch (error) {
    throw translate(error);
  } finally {
    await pool.end();
  }
}

export async function withOwnerClient<T>(ownerUrl: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return withOwnerPool(ownerUrl, async (pool) => {
    const client = await pool.connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  });
}
