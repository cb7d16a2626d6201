/** Database (embedded or external), transactions and tenant scope, schema, jobs, cache, counters, live events, sealing. */

export { enterWorkspace } from './database/enter-workspace-store.ts';
export { type DatabaseRefusalCode, DatabaseRefused } from './database/failures.ts';
export { type DatabaseOptions, openDatabase } from './database/open-database.ts';
export { expectedRoleUrls, type RoleName, type RoleOptions, type RoleUrls, roleNames } from './database/roles.ts';
export { ensureRoles, neededRoleStatements } from './database/roles-store.ts';
export { describeServer, type ServerDescription } from './database/server-description-store.ts';
export {
  type EmbeddedCluster,
  EmbeddedFailure,
  type EmbeddedFailureCode,
  type EmbeddedOptions,
  startEmbedded,
} from './embedded/index.ts';

export * from './engines/index.ts';
export * from './engines.ts';
export * from './live/index.ts';
export type { CatalogueDifference } from './schema/catalogue.ts';
export { checkCatalogue } from './schema/catalogue-store.ts';
export { SchemaFailure, type SchemaFailureCode } from './schema/failures.ts';
export {
  type MigrationState,
  type MigrationStep,
  migrate,
  migrationStates,
  partitionDaysAhead,
  rollback,
  type SchemaOptions,
} from './schema/migrate.ts';
export { dayMs, dayOf, firstIdOf } from './schema/partition-days.ts';
export { type DroppedDays, dropPartitionsBefore, ensurePartitions } from './schema/partitions-store.ts';
export { findPrepared, type PreparedDatabase } from './schema/prepared-store.ts';
export { inboxShards } from './schema/tables.ts';
export * from './sealing/index.ts';
export * from './sealing.ts';
export * from './storage.ts';
