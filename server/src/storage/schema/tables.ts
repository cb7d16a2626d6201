/**
 * Facts about the tables that more than the migrations need.
 *
 * Partitioned by day: RANGE over `id`, a uuid of version 7, whose first 48 bits are its millisecond. So the key of a row
 * (workspace_id, id) finds its partition, and a day is dropped, not deleted.
 */
export const schemaName = 'switchyard';

export const dayPartitionedTables = ['deliveries', 'inbox', 'attempts'] as const;

/** How the inbox is divided for normalising: one worker at a time reads one shard, so an account's order is kept. */
export const inboxShards = 16;

/** Parts of the key table, by account. */
export const eventKeyPartitions = 8;
