/** SQL of erasures as they stand: their rows, and how far each has come. */
import type { ContactId, ConversationId, ErasureId, WorkspaceId } from '@switchyard/contract';
import { clampLimit, type Page, type PageRequest, pageOf, parseCursor } from '#kernel';
import type { Storage, Tx, WorkspaceTx } from '#storage';
import type { ErasedKind, Erasure, ErasureCounts, ErasurePhase } from './privacy.ts';

const columns = `id, contact_id AS "contactId", requested_by AS "requestedBy", requested_at AS "requestedAt", phase, counts,
  finished_at AS "finishedAt", failure, failed_at AS "failedAt"`;

type ErasureRow = Erasure & Record<string, unknown>;

export async function findErasure(tx: WorkspaceTx, id: ErasureId): Promise<Erasure | null> {
  const [row] = await tx.query<ErasureRow>(`SELECT ${columns} FROM erasures WHERE workspace_id = $1 AND id = $2`, [
    tx.workspaceId,
    id,
  ]);
  return row ?? null;
}

export async function listErasures(tx: WorkspaceTx, request: PageRequest): Promise<Page<Erasure>> {
  const limit = clampLimit(request.limit);
  const before = request.cursor === undefined ? undefined : parseCursor(request.cursor, 1);
  const rows = await tx.query<ErasureRow>(
    `SELECT ${columns} FROM erasures WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    [tx.workspaceId, before?.[0] ?? null, limit + 1],
  );
  return pageOf(rows, limit, { item: (row) => row, key: (row) => [row.id] });
}

export interface OpenErasure {
  readonly workspaceId: WorkspaceId;
  readonly id: ErasureId;
}

/** Of all workspaces, the oldest first, those that have failed after them: one that cannot be done keeps nobody waiting. */
export function findOpen(storage: Storage, limit: number): Promise<OpenErasure[]> {
  return storage.workerStatement<OpenErasure & Record<string, unknown>>(
    `SELECT workspace_id AS "workspaceId", id FROM erasures WHERE phase <> 'done'
     ORDER BY failed_at NULLS FIRST, id LIMIT $1`,
    [limit],
    'privacy-find-open',
  );
}

/** An erasure as its next slice needs it. */
export interface Purging {
  readonly id: ErasureId;
  readonly contactIds: readonly ContactId[];
  readonly conversationIds: readonly ConversationId[];
  readonly identityValues: readonly string[];
  readonly requestedAt: Date;
  readonly phase: ErasurePhase;
  readonly cursor: string | null;
  readonly counts: ErasureCounts;
}

/** Locked until the slice is committed: one process purges it at a time. null: another has it now. */
export async function lockErasure(tx: Tx, { workspaceId, id }: OpenErasure): Promise<Purging | null> {
  const [row] = await tx.query<Purging & Record<string, unknown>>(
    `SELECT id, contact_ids AS "contactIds", conversation_ids AS "conversationIds", identity_values AS "identityValues",
       requested_at AS "requestedAt", phase, cursor, counts
     FROM erasures WHERE workspace_id = $1 AND id = $2 AND phase <> 'done' FOR UPDATE SKIP LOCKED`,
    [workspaceId, id],
    'privacy-lock-erasure',
  );
  return row ?? null;
}

export interface SliceEnd {
  readonly phase: ErasurePhase;
  readonly cursor: string | null;
  readonly found: Readonly<Partial<Record<ErasedKind, number>>>;
}

/** In a transaction of its own: that of the slice is gone. The next slice that comes through wipes it out. */
export async function noteFailure(storage: Storage, { workspaceId, id }: OpenErasure, failure: string): Promise<void> {
  await storage.workerStatement(
    `UPDATE erasures SET failure = $3, failed_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = $2 AND phase <> 'done'`,
    [workspaceId, id, failure],
    'privacy-note-failure',
  );
}

/** In the slice's transaction. When it is through, whom to look for is forgotten. */
export async function saveProgress(tx: Tx, at: OpenErasure, was: Purging, end: SliceEnd): Promise<void> {
  await tx.query(
    `UPDATE erasures SET phase = $3, cursor = $4, counts = $5, failure = NULL, failed_at = NULL,
       finished_at = CASE WHEN $3 = 'done' THEN now() END,
       identity_values = CASE WHEN $3 = 'done' THEN '{}' ELSE identity_values END
     WHERE workspace_id = $1 AND id = $2`,
    [at.workspaceId, at.id, end.phase, end.cursor, JSON.stringify(sumOf(was.counts, end.found))],
    'privacy-save-progress',
  );
}

function sumOf(counts: ErasureCounts, found: ErasureCounts): ErasureCounts {
  const sum: Partial<Record<ErasedKind, number>> = { ...counts };
  for (const [kind, count] of Object.entries(found) as [ErasedKind, number][])
    if (count > 0) sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}
