/**
 * Seals anew, by the current key, whatever another key has sealed: batch by batch, while the server works. A value that
 * changed meanwhile is left as it is, for whoever changed it sealed it. Killed and run again, it goes on with the rest.
 */
import type { WorkspaceId } from '@switchyard/contract';
import type { SealedPlace, Sealer } from '../sealing.ts';
import type { Storage, Tx } from '../storage.ts';
import { reseal } from './sealer.ts';

/**
 * Every sealed column; the row of its place is the row's id. `deliveries` may be changed by the worker's role only, and what
 * belongs to a person and to no workspace too.
 */
export const sealedColumns = [
  { table: 'accounts', column: 'secrets_sealed', by: 'app', id: 'id', isOfWorkspace: true },
  { table: 'webhook_tokens', column: 'token_sealed', by: 'app', id: 'id', isOfWorkspace: true },
  { table: 'provider_webhooks', column: 'facts_sealed', by: 'app', id: 'id', isOfWorkspace: true },
  { table: 'deliveries', column: 'secrets_sealed', by: 'worker', id: 'id', isOfWorkspace: true },
  { table: 'companion_keys', column: 'secret_sealed', by: 'app', id: 'id', isOfWorkspace: true },
  { table: 'session_states', column: 'value_sealed', by: 'app', id: 'id', isOfWorkspace: true },
  { table: 'second_factors', column: 'secret_sealed', by: 'worker', id: 'person_id', isOfWorkspace: false },
  { table: 'alarm_targets', column: 'secret_sealed', by: 'app', id: 'id', isOfWorkspace: true },
] as const;

type SealedColumn = (typeof sealedColumns)[number];

/** Rows looked at in one transaction. */
export const resealBatchRows = 500;

const firstId = '00000000-0000-0000-0000-000000000000';

export interface ResealOptions {
  readonly storage: Storage;
  readonly sealer: Sealer;
  /** Called after each batch that changed something, with the sum so far. */
  readonly progress: (table: SealedColumn['table'], resealed: number) => void;
}

export type Resealed = Readonly<Record<SealedColumn['table'], number>>;

export const nothingResealed: Resealed = {
  accounts: 0,
  webhook_tokens: 0,
  provider_webhooks: 0,
  deliveries: 0,
  companion_keys: 0,
  session_states: 0,
  second_factors: 0,
  alarm_targets: 0,
};

/** One pass over all workspaces, removed ones too; gives how many values were sealed anew. */
export async function resealAll(options: ResealOptions): Promise<Resealed> {
  const workspaceIds = await options.storage.asWorker(async (tx) =>
    (await tx.query<{ id: WorkspaceId }>('SELECT workspace_id AS id FROM workspaces ORDER BY workspace_id')).map(
      ({ id }) => id,
    ),
  );
  const resealed = { ...nothingResealed };
  for (const place of sealedColumns) {
    for (const workspaceId of place.isOfWorkspace ? workspaceIds : [null]) {
      await resealRows(options, place, workspaceId, (count) => {
        resealed[place.table] += count;
        if (count > 0) options.progress(place.table, resealed[place.table]);
      });
    }
  }
  return resealed;
}

async function resealRows(
  { storage, sealer }: ResealOptions,
  place: SealedColumn,
  workspaceId: WorkspaceId | null,
  counted: (count: number) => void,
): Promise<void> {
  const inTransaction = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    place.by === 'worker' || workspaceId === null ? storage.asWorker(work) : storage.inWorkspace(workspaceId, work);
  for (let after = firstId; ; ) {
    const batch = await inTransaction((tx) => resealBatch(tx, sealer, { place, workspaceId, after }));
    counted(batch.count);
    if (batch.last === null) return;
    after = batch.last;
  }
}

interface Position {
  readonly place: SealedColumn;
  /** null: the rows of no workspace. */
  readonly workspaceId: WorkspaceId | null;
  readonly after: string;
}

async function resealBatch(
  tx: Tx,
  sealer: Sealer,
  { place: { table, column, id: key, isOfWorkspace }, workspaceId, after }: Position,
): Promise<{ readonly count: number; readonly last: string | null }> {
  const isTheirs = isOfWorkspace ? 'workspace_id = $1' : '$1::uuid IS NULL';
  const rows = await tx.query<{ id: string; sealed: Buffer | null }>(
    `SELECT ${key} AS id, ${column} AS sealed FROM ${table} t WHERE ${isTheirs} AND ${key} > $2 ORDER BY ${key} LIMIT $3`,
    [workspaceId, after, resealBatchRows],
  );
  const fresh = rows.flatMap(({ id, sealed }) => {
    const place: SealedPlace = { table, column, row: id };
    const anew = sealed && reseal(sealer, sealed, place);
    return anew ? [{ id, sealed, anew }] : [];
  });
  const changed =
    fresh.length === 0
      ? []
      : await tx.query(
          `UPDATE ${table} AS t SET ${column} = n.anew
             FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS n (id, sealed, anew)
            WHERE ${isTheirs} AND t.${key} = n.id AND t.${column} = n.sealed RETURNING t.${key}`,
          [workspaceId, fresh.map(({ id }) => id), fresh.map(({ sealed }) => sealed), fresh.map(({ anew }) => anew)],
        );
  return { count: changed.length, last: rows.length < resealBatchRows ? null : (rows.at(-1)?.id ?? null) };
}
