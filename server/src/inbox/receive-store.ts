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
 * Both tables in one statement, so one commit: the delivery as it came and its place in the queue.
 *
 * The bodies travel in one bytea and all else in JSON, which was measured to cost the driver and Postgres least: an array
 * for each column costs the driver half as much again, and binary arrays gain nothing over JSON and need an encoder of
 * our own. What deliveries of one account have in common is an `origin`, written once. The uncorrelated sub-select takes
 * one position for the whole batch.
 */
const insertDeliveries = `
  WITH batch AS MATERIALIZED (
    SELECT nextval('inbox_position') AS position
  ), arrived AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::json) AS origins (
      origin integer, workspace_id uuid, account_id uuid, provider text, route_kind text, method text, target text,
      is_authenticated boolean, is_test boolean, shard smallint)
    JOIN json_to_recordset($2::json) AS deliveries (
      origin integer, id uuid, headers json, body_start integer, body_length integer, sealed_length integer,
      received_at timestamptz, after_position bigint) USING (origin)
  ), kept AS (
    INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body,
      secrets_sealed, is_authenticated, is_test, received_at)
    SELECT workspace_id, id, account_id, provider, route_kind, method, target, headers::jsonb,
      substring($3::bytea FROM body_start FOR body_length),
      CASE WHEN sealed_length > 0 THEN substring($3::bytea FROM body_start + body_length FOR sealed_length) END,
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
  const { origins, deliveries } = describe(arrived);
  const values = [JSON.stringify(origins), JSON.stringify(deliveries), joinBytes(arrived)];
  const rows = await storage.gatewayStatement<{ position: string }>(insertDeliveries, values, 'inbox_receive');
  return Number(rows[0]?.position);
}

/** The order of the bytes: each body, then its sealed secrets. `substring` counts from 1. */
function describe(arrived: readonly ArrivedDelivery[]) {
  const origins: object[] = [];
  const deliveries: object[] = [];
  let last: ArrivedDelivery | undefined;
  let start = 1;
  for (const one of arrived) {
    // Only the neighbour is looked at: an origin written twice costs a few bytes, and nothing else.
    if (!last || !hasSameOrigin(one, last)) origins.push(originOf(one, origins.length));
    last = one;
    const { id, headers, body, secretsSealed, receivedAt } = one.delivery;
    const sealedLength = secretsSealed?.length ?? 0;
    deliveries.push({
      origin: origins.length - 1,
      id,
      headers,
      body_start: start,
      body_length: body.length,
      sealed_length: sealedLength,
      received_at: receivedAt,
      after_position: one.afterPosition,
    });
    start += body.length + sealedLength;
  }
  return { origins, deliveries };
}

function hasSameOrigin({ delivery: one }: ArrivedDelivery, { delivery: other }: ArrivedDelivery): boolean {
  return (
    one.accountId === other.accountId &&
    one.target === other.target &&
    one.method === other.method &&
    one.routeKind === other.routeKind &&
    one.provider === other.provider &&
    one.workspaceId === other.workspaceId &&
    one.isAuthenticated === other.isAuthenticated &&
    one.isTest === other.isTest
  );
}

function originOf({ delivery, shard }: ArrivedDelivery, origin: number): object {
  return {
    origin,
    workspace_id: delivery.workspaceId,
    account_id: delivery.accountId,
    provider: delivery.provider,
    route_kind: delivery.routeKind,
    method: delivery.method,
    target: delivery.target,
    is_authenticated: delivery.isAuthenticated,
    is_test: delivery.isTest,
    shard,
  };
}

function joinBytes(arrived: readonly ArrivedDelivery[]): Buffer {
  const parts: Buffer[] = [];
  for (const { delivery } of arrived) {
    parts.push(delivery.body);
    if (delivery.secretsSealed) parts.push(delivery.secretsSealed);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
