import type { ConversationId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

/** The topics that each of these conversations' customers does not want, by their latest word on each. */
export async function findOptOuts(
  tx: WorkspaceTx,
  conversationIds: readonly ConversationId[],
): Promise<ReadonlyMap<ConversationId, readonly string[]>> {
  const rows = await tx.query<{ conversationId: ConversationId; topics: string[] }>(
    `SELECT v.id AS "conversationId", array_agg(latest.topic) AS topics
       FROM conversations v
       JOIN accounts a ON a.workspace_id = v.workspace_id AND a.id = v.account_id,
            LATERAL (SELECT DISTINCT ON (k.topic) k.topic, k.choice FROM consents k
                      WHERE k.workspace_id = v.workspace_id AND k.contact_id = v.contact_id AND k.channel = a.channel
                      ORDER BY k.topic, k.at DESC, k.id DESC) latest
      WHERE v.workspace_id = $1 AND v.id = ANY($2::uuid[]) AND latest.choice = 'out'
      GROUP BY v.id`,
    [tx.workspaceId, conversationIds],
    'outbox-find-opt-outs',
  );
  return new Map(rows.map((row) => [row.conversationId, row.topics]));
}
