/** SQL of the rhythm: what each account has been heard, from the ledger. */
import type { AccountId, Provider } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { HeardHour } from './silence.ts';

export interface ListeningAccount {
  readonly accountId: AccountId;
  readonly name: string;
  readonly provider: Provider;
  /** Switched on, and connected or of a provider that has never said anything about it. */
  readonly isConnected: boolean;
  readonly lastHeardAt: Date | null;
  readonly hours: readonly HeardHour[];
}

interface HeardRow extends Record<string, unknown> {
  readonly accountId: AccountId;
  readonly name: string;
  readonly provider: Provider;
  readonly isConnected: boolean;
  readonly lastHeardAt: Date | null;
  readonly hours: readonly (readonly [seconds: number, heard: number])[];
}

/**
 * Every account that is not removed. The hours are those counted last; the exact moment is looked for from the newest of
 * them on, so a quiet account costs an index range.
 */
export async function loadListening(tx: WorkspaceTx, since: Date): Promise<ListeningAccount[]> {
  const rows = await tx.query<HeardRow>(
    `SELECT a.id AS "accountId", a.name, a.provider, a.is_active AND (a.connection_status = 'connected'
         OR a.last_connected_at IS NULL AND a.connection_error IS NULL) AS "isConnected",
       h.hours,
       (SELECT max(e.received_at) FROM events e
        WHERE e.workspace_id = $1 AND e.account_id = a.id AND NOT e.is_test
          AND e.delivery_id >= (lpad(to_hex((extract(epoch FROM COALESCE(h.newest, now() - interval '2 hours')) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
       ) AS "lastHeardAt"
     FROM accounts a CROSS JOIN LATERAL (
       SELECT max(l.hour) AS newest,
         COALESCE(json_agg(json_build_array(extract(epoch FROM l.hour)::bigint, l.heard)), '[]') AS hours
       FROM ledger_hours l WHERE l.workspace_id = $1 AND l.account_id = a.id AND l.hour >= $2 AND l.heard > 0) AS h
     WHERE a.workspace_id = $1 AND a.deleted_at IS NULL ORDER BY a.name, a.id`,
    [tx.workspaceId, since],
    'silence-load-listening',
  );
  return rows.map((row) => ({
    ...row,
    hours: row.hours.map(([seconds, heard]) => ({ hour: new Date(seconds * 1_000), heard })),
  }));
}
