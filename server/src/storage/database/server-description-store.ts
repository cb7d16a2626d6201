import { withOwnerPool } from './owner-pool.ts';

/** What a database server says of itself and of its owner's log-in, for people. */
export interface ServerDescription {
  readonly version: string;
  readonly versionNumber: number;
  readonly fsync: string;
  readonly fullPageWrites: string;
  readonly synchronousCommit: string;
  readonly isStandby: boolean;
  readonly mayCreateRoles: boolean;
}

/** Changes nothing; asks as the owner. Throws StorageUnavailable when nobody answers. */
export function describeServer(options: { readonly ownerUrl: string }): Promise<ServerDescription> {
  return withOwnerPool(options.ownerUrl, async (pool) => {
    const { rows } = await pool.query<ServerDescription>(
      `SELECT current_setting('server_version') AS version,
              current_setting('server_version_num')::int AS "versionNumber",
              current_setting('fsync') AS fsync,
              current_setting('full_page_writes') AS "fullPageWrites",
              current_setting('synchronous_commit') AS "synchronousCommit",
              pg_is_in_recovery() AS "isStandby",
              (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS "mayCreateRoles"`,
    );
    return rows[0]!;
  });
}
