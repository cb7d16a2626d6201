import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { silentLog } from '#kernel';
import { openDatabase, type RoleUrls, type Row, type Storage } from '#storage';
import { asSuperuser, startInNewFolder, urlOfDatabase } from './test-cluster.ts';

export interface TestDatabase {
  readonly storage: Storage;
  /** A statement as the superuser, past row-level security: to set the scene and to look at what came of it. */
  ownerQuery<R extends Row = Row>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** The owner's log-in, which `migrate` and the partitions use. */
  readonly ownerUrl: string;
  readonly superuserUrl: string;
  readonly urls: RoleUrls;
  readonly name: string;
  /** Closes all connections and drops the database. */
  close(): Promise<void>;
}

/**
 * A database for one test file, cloned from the run's migrated template. Call in `beforeAll`, `close` in `afterAll`.
 * `isEmpty`: without our schema, for the tests of the migrations.
 */
export async function testDatabase(options: { readonly isEmpty?: boolean } = {}): Promise<TestDatabase> {
  const cluster = inject('cluster');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = options.isEmpty ? 'template0' : cluster.template;
  await asSuperuser(cluster.superuserUrl, (client) =>
    client.query(`CREATE DATABASE ${name} OWNER switchyard_owner TEMPLATE ${template} STRATEGY file_copy`),
  );
  const superuserUrl = urlOfDatabase(cluster.superuserUrl, name);
  const pool = new pg.Pool({ connectionString: superuserUrl, max: 2, options: '-c search_path=switchyard' });
  pool.on('error', () => {
    // A test may cut every connection of its database; the next statement makes a new one.
  });
  const urls = {
    app: urlOfDatabase(cluster.urls.app, name),
    gateway: urlOfDatabase(cluster.urls.gateway, name),
    worker: urlOfDatabase(cluster.urls.worker, name),
  };
  const storage = await openDatabase({ urls, log: silentLog, allowUnsafe: true, poolSizes: testPoolSizes });
  return {
    storage,
    ownerQuery: async <R extends Row>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<R>(text, [...values])).rows,
    ownerUrl: urlOfDatabase(cluster.ownerUrl, name),
    superuserUrl,
    urls,
    name,
    async close() {
      await storage.close();
      await pool.end();
      await asSuperuser(cluster.superuserUrl, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

/** Small: several test files share the 100 connections of one server. */
const testPoolSizes = { app: 6, gateway: 3, worker: 6 } as const;

/**
 * A durable cluster of its own (fsync on), for tests that start the whole server or kill it: the server refuses the
 * run's careless one. Slower to make (about two seconds); `close` stops it and removes its folder.
 */
export async function durableCluster() {
  return startInNewFolder({ isDurable: true });
}
