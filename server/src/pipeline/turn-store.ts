import type { ConversationId, EventId, TurnId } from '@switchyard/contract';
import { storableJson } from '#conversations';
import type { WorkspaceTx } from '#storage';
import type { TurnStep } from './pipeline.ts';

export interface TurnRecord {
  readonly id: TurnId;
  readonly conversationId: ConversationId;
  readonly eventId: EventId;
  /** `answered: demo/menu`, `silent: stale`. */
  readonly outcome: string;
  readonly steps: readonly TurnStep[];
  /** Since the beginning of the transaction's turns: those that are handled together are written together. */
  readonly milliseconds: number;
}

export async function insertTurns(tx: WorkspaceTx, turns: readonly TurnRecord[]): Promise<void> {
  if (turns.length === 0) return;
  await tx.query(
    `INSERT INTO turns (workspace_id, id, conversation_id, event_id, outcome, steps, milliseconds)
     SELECT $1, t.id, t."conversationId", t."eventId", t.outcome, t.steps, t.milliseconds
     FROM json_to_recordset($2) AS t (
       id uuid, "conversationId" uuid, "eventId" uuid, outcome text, steps jsonb, milliseconds real)`,
    [tx.workspaceId, storableJson(turns)],
    'pipeline_insert_turns',
  );
}
