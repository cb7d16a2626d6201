import type { AccountId, AttemptId, MessageId, OutboundId, WorkspaceId } from '@switchyard/contract';
import type { Storage } from '#storage';
import { moves } from '../states.ts';

/** A message whose lease ran out after its mark, or whose time in doubt has ended. */
export interface Overdue {
  readonly workspaceId: WorkspaceId;
  readonly outboundId: OutboundId;
  readonly messageId: MessageId;
  readonly accountId: AccountId;
  readonly attemptId: AttemptId;
  readonly state: 'sending' | 'uncertain';
  readonly mayRepeat: boolean;
}

/** Claimed by a process that is gone: surely not sent, so anybody may take it. Gives how many. */
export async function releaseExpired(storage: Storage, maxMessages: number): Promise<number> {
  const rows = await storage.workerStatement(
    `UPDATE outbox o SET state = $2, leased_until = now()
       FROM (SELECT workspace_id, id FROM outbox
              WHERE state IN ('claimed', 'sending', 'uncertain') AND state = ANY($3::text[]) AND leased_until < now()
              ORDER BY leased_until LIMIT $1 FOR UPDATE SKIP LOCKED) expired
      WHERE o.workspace_id = expired.workspace_id AND o.id = expired.id
      RETURNING o.id`,
    [maxMessages, moves.release.to, moves.release.from],
    'outbox-release-expired',
  );
  return rows.length;
}

/** `mayRepeat`: its rule allows one more try and it has not had it. */
export function findOverdue(storage: Storage, maxMessages: number): Promise<Overdue[]> {
  return storage.workerStatement<Overdue & Record<string, unknown>>(
    `SELECT workspace_id AS "workspaceId", id AS "outboundId", message_id AS "messageId", account_id AS "accountId", attempt_id AS "attemptId", state,
            repeat_rule = 'rather-twice' AND NOT is_possible_duplicate AS "mayRepeat"
       FROM outbox
      WHERE state IN ('sending', 'uncertain') AND state IN ('claimed', 'sending', 'uncertain') AND leased_until < now()
      ORDER BY leased_until LIMIT $1`,
    [maxMessages],
    'outbox-find-overdue',
  );
}
