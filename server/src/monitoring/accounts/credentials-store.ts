import { type AccountId, isPaired, providers } from '@switchyard/contract';
import { firstIdOf, type WorkspaceTx } from '#storage';

export interface RefusedAccount {
  readonly [column: string]: unknown;
  readonly accountId: AccountId;
  /** The provider's own words, translated. */
  readonly detail: string;
}

export interface RefusedCredentialsAsked {
  readonly codes: readonly string[];
  readonly run: number;
  readonly since: Date;
}

const pairedProviders = providers.filter(isPaired);
const slackMs = 12 * 3_600_000;

/**
 * Served accounts whose last `run` messages since `since`, and since their connection was moved, were all refused for
 * their credentials. Linked phones have sessions, which tell of themselves. A message may be older than its outcome by as
 * long as tries go on.
 */
export function findRefusedCredentials(
  tx: WorkspaceTx,
  { codes, run, since }: RefusedCredentialsAsked,
): Promise<RefusedAccount[]> {
  return tx.query<RefusedAccount>(
    `SELECT a.id AS "accountId", last.detail FROM accounts a, LATERAL (
       SELECT count(*) AS count, bool_and(m.is_refused) AS are_refused, (array_agg(m.detail))[1] AS detail FROM (
         SELECT m.status = 'failed' AND m.error->>'code' = ANY($2::text[]) AS is_refused, m.error->>'detail' AS detail
           FROM messages m
          WHERE m.workspace_id = $1 AND m.account_id = a.id AND m.id >= $3::uuid AND m.direction = 'out'
            AND m.status IN ('sent', 'delivered', 'read', 'played', 'failed') AND NOT m.is_history AND NOT m.is_test
            AND m.status_at > greatest($4::timestamptz, a.connection_changed_at)
          ORDER BY m.status_at DESC LIMIT $5) m) last
     WHERE a.workspace_id = $1 AND a.deleted_at IS NULL AND a.is_active AND a.connection_status <> 'error'
       AND a.provider <> ALL($6::text[]) AND last.count = $5 AND last.are_refused`,
    [tx.workspaceId, codes, firstIdOf(since.getTime() - slackMs), since, run, pairedProviders],
  );
}
