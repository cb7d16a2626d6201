/** SQL of what a claim tells beside the row itself, the same wherever a row is claimed. */
import { limits } from './limits.ts';

const pairLimits = limits.filter((limit) => limit.scope === 'pair');
const rows = pairLimits.map(({ provider, messages, windowMs }) => `('${provider}', ${messages}, ${windowMs})`);

/**
 * SQL of how long the limits between an account and a customer want a row of the outbox to wait, in milliseconds; 0: they
 * do not. Counted by the conversation's own ordinals.
 */
export function pairWaitOf(row: string): string {
  return `COALESCE((
    SELECT max(greatest(0, extract(epoch FROM before.settled_at - now()) * 1000 + l.window_ms))
      FROM (VALUES ${rows.join(', ')}) AS l (provider, messages, window_ms)
      JOIN accounts a ON a.workspace_id = ${row}.workspace_id AND a.id = ${row}.account_id AND a.provider = l.provider
      JOIN outbox before ON before.workspace_id = ${row}.workspace_id AND before.conversation_id = ${row}.conversation_id
                        AND before.ordinal = ${row}.ordinal - l.messages AND before.settled_at IS NOT NULL
    ), 0)::float8`;
}

/** SQL of `ConnectionFacts` of a row of accounts. */
export function connectionOf(account: string): string {
  return `json_build_object('status', ${account}.connection_status, 'reason', ${account}.connection_error,
    'hasMoved', ${account}.connection_changed_at IS NOT NULL)`;
}
