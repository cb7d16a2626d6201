/** Database (embedded or external), transactions and tenant scope, schema, jobs, cache, counters, live events, sealing. */
export { type DatabaseRefusalCode, DatabaseRefused } from './database/failures.ts';
export { type DatabaseOptions, openDatabase } from './database/open-database.ts';
export { type RoleName, type RoleUrls, roleNames, roleStatements } from './database/roles.ts';
export { ensureRoles, type RoleOptions } from './database/roles-store.ts';
export {
  type EmbeddedCluster,
  EmbeddedFailure,
  type EmbeddedFailureCode,
  type EmbeddedOptions,
  startEmbedded,
} from './embedded/index.ts';

export * from './engines/index.ts';
export * from './engines.ts';
export { SchemaFailure, type SchemaFailureCode } from './schema/failures.ts';
export {
  type MigrationState,
  type MigrationStep,
  migrate,
  migrationStates,
  rollback,
  type SchemaOptions,
} from './schema/migrate.ts';
export * from './sealing/index.ts';
export * from './sealing.ts';
export * from './storage.ts';
