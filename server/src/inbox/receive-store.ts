import type { Storage } from '#storage';
import type { VerifiedDelivery } from './inbox.ts';

/** A delivery on its way to disk, with its place in the order of arrival. */
export interface ArrivedDelivery {
  readonly delivery: VerifiedDelivery;
  readonly shard: number;
  /** The highest position that this process had committed when the request arrived. */
  readonly afterPosition: number;
}

/**
 * Both tables in one statement, so one commit: the delivery as it came and its place in the queue. The bodies travel in
 * one bytea and all else in one JSON text: measured at 32 rows a batch, this costs the driver and Postgres least (an
 * array for each column costs the driver half as much again; binary arrays gain nothing over it and need their own encoder).
 * The uncorrelated sub-select takes one position for the whole batch.
 */
const insertDeliveries = `
  WITH batch AS MATERIALIZED (
    SELECT nextval('inbox_position') AS position
  ), arrived AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::json) AS arrived (
      workspace_id uuid, id uuid, account_id uuid, provider text, route_kind text, method text, target text,
      headers json, body_start integer, body_length integer, sealed_length integer, is_authenticated boolean,
      is_test boolean, received_at timestamptz, shard smallint, after_position bigint)
  ), kept AS (
    INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body,
      secrets_sealed, is_authenticated, is_test, received_at)
    SELECT workspace_id, id, account_id, provider, route_kind, method, target, headers::jsonb,
      substring($2::bytea FROM body_start FOR body_length),
      CASE WHEN sealed_length > 0 THEN substring($2::bytea FROM body_start + body_length FOR sealed_length) END,
      is_authenticated, is_test, received_at
    FROM arrived
  ), queued AS (
    INSERT INTO inbox (workspace_id, id, account_id, shard, position, after_position)
    SELECT workspace_id, id, account_id, shard, (SELECT position FROM batch), after_position FROM arrived
  )
  SELECT position FROM batch`;

/** Stores a batch in one transaction and gives its position. Throws StorageUnavailable when the database is away. */
export async function storeDeliveries(
  storage: Pick<Storage, 'gatewayStatement'>,
  arrived: readonly ArrivedDelivery[],
): Promise<number> {
  const values = [JSON.stringify(describe(arrived)), joinBytes(arrived)];
  const rows = await storage.gatewayStatement<{ position: string }>(insertDeliveries, values, 'inbox_receive');
  return Number(rows[0]?.position);
}

/** The order of the bytes: each body, then its sealed secrets. `substring` counts from 1. */
function describe(arrived: readonly ArrivedDelivery[]): object[] {
  let start = 1;
  return arrived.map(({ delivery, shard, afterPosition }) => {
    const bodyStart = start;
    const sealedLength = delivery.secretsSealed?.length ?? 0;
    start += delivery.body.length + sealedLength;
    return {
      workspace_id: delivery.workspaceId,
      id: delivery.id,
      account_id: delivery.accountId,
      provider: delivery.provider,
      route_kind: delivery.routeKind,
      method: delivery.method,
      target: delivery.target,
      headers: delivery.headers,
      body_start: bodyStart,
      body_length: delivery.body.length,
      sealed_length: sealedLength,
      is_authenticated: delivery.isAuthenticated,
      is_test: delivery.isTest,
      received_at: delivery.receivedAt,
      shard,
      after_position: afterPosition,
    };
  });
}

function joinBytes(arrived: readonly ArrivedDelivery[]): Buffer {
  const parts: Buffer[] = [];
  for (const { delivery } of arrived) {
    parts.push(delivery.body);
    if (delivery.secretsSealed) parts.push(delivery.secretsSealed);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
