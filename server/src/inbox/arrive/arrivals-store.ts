/**
 * SQL of arrivals: what the gateway stores before it answers, and how that becomes deliveries and inbox rows.
 *
 * A batch is one row: the bodies in one bytea, all else in JSON. That was measured to cost the driver and Postgres least,
 * for Postgres does not look into it before the answer; `moveArrivals` does so later, in one statement and without a copy
 * through this process. What deliveries of one account have in common is an `origin`, written once.
 */
import type { Statement, Storage } from '#storage';
import type { VerifiedDelivery } from '../inbox.ts';

/** A delivery on its way to disk, with its place in the order of arrival. */
export interface ArrivedDelivery {
  readonly delivery: VerifiedDelivery;
  readonly shard: number;
  /** The highest position that this process had committed when the request arrived. */
  readonly afterPosition: number;
}

/** Stores a batch in one transaction and gives its position. Throws StorageUnavailable when the database is away. */
export async function storeArrivals(
  storage: Pick<Storage, 'gatewayStatement'>,
  arrived: readonly ArrivedDelivery[],
): Promise<number> {
  const { origins, deliveries } = describe(arrived);
  const rows = await storage.gatewayStatement<{ position: string }>(
    'INSERT INTO arrivals (delivery_count, origins, deliveries, bodies) VALUES ($1, $2, $3, $4) RETURNING position',
    [arrived.length, JSON.stringify(origins), JSON.stringify(deliveries), joinBytes(arrived)],
    'arrivals-store',
  );
  return Number(rows[0]?.position);
}

/** The order of the bytes: each body, then its sealed secrets. `substring` counts from 1. */
function describe(arrived: readonly ArrivedDelivery[]) {
  const origins: object[] = [];
  const deliveries: object[] = [];
  const isoOf = rememberingIso();
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
      received_at: isoOf(receivedAt),
      after_position: one.afterPosition,
    });
    start += body.length + sealedLength;
  }
  return { origins, deliveries };
}

/** Many of a batch came in the same millisecond. A text, for a Date takes `JSON.stringify` off its quick path. */
function rememberingIso(): (at: Date) => string {
  let knownMs = Number.NaN;
  let known = '';
  return (at) => {
    const ms = at.getTime();
    if (ms !== knownMs) {
      knownMs = ms;
      known = at.toISOString();
    }
    return known;
  };
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

/** One of the arrivals: a batch, or a part of one that was divided. */
export interface ArrivalPlace {
  readonly position: string;
  readonly part: number;
}

/** How much one statement moves at most: rows, and bytes of what lies in them (but always one row). */
export interface MoveLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** Of this database; who moves arrivals holds it, so that they are moved in the order of their positions. */
const movingLock = 7_023_617_463;

/**
 * Both lists are read here for the first time. The commit does not wait for the disk: a crash that loses it puts the
 * arrivals back, and ids and commits to come are the same.
 *
 * A delivery comes after none that has a higher position than its own, whatever its gateway says: where a standby took over
 * that lacks the last moment, positions are given again that gateways have seen committed.
 */
const move = (head: string) => `
  WITH alone AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(${movingLock}) AND set_config('synchronous_commit', 'off', true) = 'off' AS is_ours
  ), head AS MATERIALIZED (${head}), taken AS (
    DELETE FROM arrivals a USING head h WHERE a.position = h.position AND a.part = h.part
    RETURNING a.position, a.origins, a.deliveries, a.bodies
  ), arrived AS MATERIALIZED (
    SELECT *, substring(bodies FROM body_start FOR body_length) AS body,
      CASE WHEN sealed_length > 0 THEN substring(bodies FROM body_start + body_length FOR sealed_length) END AS sealed
    FROM taken, json_to_recordset(taken.origins::json) AS o (
      origin integer, workspace_id uuid, account_id uuid, provider text, route_kind text, method text, target text,
      is_authenticated boolean, is_test boolean, shard smallint)
    JOIN json_to_recordset(taken.deliveries::json) AS d (
      origin integer, id uuid, headers json, body_start integer, body_length integer, sealed_length integer,
      received_at timestamptz, after_position bigint) USING (origin)
  ), kept AS (
    INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body,
      secrets_sealed, is_authenticated, is_test, received_at)
    SELECT workspace_id, id, account_id, provider, route_kind, method, target, headers::jsonb, body, sealed,
      is_authenticated, is_test, received_at FROM arrived
  ), queued AS (
    INSERT INTO inbox (workspace_id, id, account_id, shard, position, after_position)
    SELECT workspace_id, id, account_id, shard, position, LEAST(after_position, position - 1) FROM arrived
  )
  SELECT count(*)::integer AS rows, COALESCE(sum(octet_length(deliveries) + octet_length(bodies)), 0)::integer AS bytes FROM taken`;

const oldest = `
  SELECT position, part FROM (
    SELECT position, part, row_number() OVER places AS number,
      sum(octet_length(deliveries) + octet_length(bodies)) OVER places AS bytes
    FROM (SELECT * FROM arrivals WHERE refusal IS NULL AND (SELECT is_ours FROM alone) ORDER BY position, part LIMIT $1) AS first
    WINDOW places AS (ORDER BY position, part)) AS counted
  WHERE number = 1 OR bytes <= $2`;

const justOne = `
  SELECT position, part FROM arrivals
  WHERE position = $1 AND part = $2 AND refusal IS NULL AND (SELECT is_ours FROM alone)`;

const moveOldest = move(oldest);
const moveOne = move(justOne);

/** Moves the oldest. Gives one row of `MoveLimits`, what was moved: nothing when there is none, or another is at it. */
export function moveStatement({ rows, bytes }: MoveLimits): Statement {
  return { text: moveOldest, values: [rows, bytes], name: 'arrivals-move' };
}

/** False when there is no such row any more, or another is at it. */
export async function moveArrival(storage: Storage, { position, part }: ArrivalPlace): Promise<boolean> {
  const rows = await storage.workerStatement<{ rows: number }>(moveOne, [position, part], 'arrivals-move-one');
  return rows[0]?.rows === 1;
}

export async function findOldestArrival(
  storage: Storage,
): Promise<(ArrivalPlace & { readonly deliveries: number }) | null> {
  const rows = await storage.workerStatement<{ position: string; part: number; deliveries: number }>(
    `SELECT position, part, delivery_count AS deliveries FROM arrivals
     WHERE refusal IS NULL ORDER BY position, part LIMIT 1`,
    [],
    'arrivals-find-oldest',
  );
  return rows[0] ?? null;
}

interface DescribedDelivery {
  readonly body_start: number;
  readonly body_length: number;
  readonly sealed_length: number;
}

/**
 * A row for each of its deliveries, in their order. The list is read here, not in SQL, for Postgres may be unable to. The
 * row goes and its parts come in one statement, so that no cut of the connection's transaction can part the two.
 */
export async function divideArrival(storage: Storage, { position, part }: ArrivalPlace): Promise<void> {
  const [whole] = await storage.workerStatement<{ deliveries: string }>(
    'SELECT deliveries FROM arrivals WHERE position = $1 AND part = $2 AND delivery_count > 1',
    [position, part],
    'arrivals-find-whole',
  );
  if (!whole) return;
  const deliveries = JSON.parse(whole.deliveries) as readonly DescribedDelivery[];
  await storage.workerStatement(
    `WITH whole AS (
       DELETE FROM arrivals WHERE position = $1 AND part = $2 AND delivery_count > 1
       RETURNING position, part, origins, bodies, arrived_at)
     INSERT INTO arrivals (position, part, delivery_count, origins, deliveries, bodies, arrived_at)
     SELECT w.position, w.part + one.number, 1, w.origins, one.deliveries, substring(w.bodies FROM one.start FOR one.length),
       w.arrived_at
     FROM whole w, unnest($3::text[], $4::integer[], $5::integer[]) WITH ORDINALITY AS one (deliveries, start, length, number)`,
    [
      position,
      part,
      deliveries.map((one) => JSON.stringify([{ ...one, body_start: 1 }])),
      deliveries.map((one) => one.body_start),
      deliveries.map((one) => one.body_length + one.sealed_length),
    ],
    'arrivals-divide',
  );
}

/** What the database will not have as a delivery stays here, with the reason. */
export async function setArrivalAside(storage: Storage, { position, part }: ArrivalPlace, refusal: string) {
  await storage.workerStatement(
    'UPDATE arrivals SET refusal = $3 WHERE position = $1 AND part = $2',
    [position, part, refusal],
    'arrivals-set-aside',
  );
}

/** They are tried once more: after an upgrade, or a repair. */
export async function takeBackArrivals(storage: Storage): Promise<number> {
  const rows = await storage.workerStatement(
    'UPDATE arrivals SET refusal = NULL WHERE refusal IS NOT NULL RETURNING position',
    [],
    'arrivals-take-back',
  );
  return rows.length;
}
