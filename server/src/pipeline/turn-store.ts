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
  readonly milliseconds: number;
}

export async function insertTurn(tx: WorkspaceTx, turn: TurnRecord): Promise<void> {
  await tx.query(
    `INSERT INTO turns (workspace_id, id, conversation_id, event_id, outcome, steps, milliseconds)
     VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)`,
    [
      tx.workspaceId,
      turn.id,
      turn.conversationId,
      turn.eventId,
      turn.outcome,
      storableJson(turn.steps),
      turn.milliseconds,
    ],
    'pipeline_insert_turn',
  );
}
