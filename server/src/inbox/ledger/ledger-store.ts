/**
 * SQL of the ledger: all that it knows of `deliveries`, `inbox`, `events` and `outbox` stands here. Every statement is
 * bounded by ids of deliveries, which begin with their millisecond, so it reads an index range of one workspace.
 */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { firstIdOf, type Storage, type WorkspaceTx } from '#storage';
import { type CounterName, counterNames, type Gap, hourMs, type LedgerHour, type LedgerSpan } from './ledger.ts';

/** Stands for app-level shared routes where a key needs an account. */
const nilAccount = '00000000-0000-0000-0000-000000000000';

const instantIn = (id: string) =>
  `to_timestamp(('x' || lpad(left(replace(${id}::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)`;

export interface LedgerFilter {
  readonly accountId?: AccountId | undefined;
  readonly span: LedgerSpan;
}

type HourRow = Record<CounterName, string> & { account: AccountId; hour: Date } & Record<string, unknown>;

/** Each hour is an index range with its bounds given, so that no row's hour has to be worked out. */
const countSql = `
  SELECT asked.hour, parts.account, sum(received) AS received, sum(received) AS stored, sum(normalised) AS normalised,
    sum(duplicates) AS duplicates, sum(events) AS events, sum(handled) AS handled, sum(answered) AS answered, 0 AS forwarded,
    sum(parked) AS parked, sum(dead) AS dead, sum(heard) AS heard
  FROM json_to_recordset($2) AS asked (hour timestamptz, first uuid, next uuid) CROSS JOIN LATERAL (
    SELECT COALESCE(i.account_id, '${nilAccount}') AS account, count(*) AS received,
      count(*) FILTER (WHERE i.state = 'normalised') AS normalised, COALESCE(sum(i.duplicate_count), 0) AS duplicates,
      0::bigint AS events, 0::bigint AS handled, 0::bigint AS answered, 0::bigint AS parked, 0::bigint AS dead, 0::bigint AS heard
    FROM inbox i
    WHERE i.workspace_id = $1 AND i.id >= asked.first AND i.id < asked.next AND ($3::uuid IS NULL OR i.account_id = $3)
    GROUP BY 1
    UNION ALL
    SELECT e.account_id, 0, 0, 0, count(*), count(*) FILTER (WHERE e.state IN ('handled', 'ignored')),
      count(*) FILTER (WHERE e.turn_id IS NOT NULL AND EXISTS (
        SELECT FROM outbox o WHERE o.workspace_id = $1 AND o.turn_id = e.turn_id)),
      count(*) FILTER (WHERE e.state = 'parked'), 0, count(*) FILTER (WHERE NOT e.is_test)
    FROM events e
    WHERE e.workspace_id = $1 AND e.delivery_id >= asked.first AND e.delivery_id < asked.next
      AND ($3::uuid IS NULL OR e.account_id = $3) GROUP BY 1
    UNION ALL
    SELECT COALESCE(l.account_id, '${nilAccount}'), 0, 0, 0, 0, 0, 0, 0, count(*), 0
    FROM dead_letters l
    WHERE l.workspace_id = $1 AND l.delivery_id >= asked.first AND l.delivery_id < asked.next AND l.replayed_at IS NULL
      AND ($3::uuid IS NULL OR l.account_id = $3) GROUP BY 1) AS parts
  GROUP BY 1, 2`;

/** What is in the tables now. The span begins and ends with an hour. */
export async function countHours(tx: WorkspaceTx, { span, accountId }: LedgerFilter): Promise<LedgerHour[]> {
  const hours = hoursOfSpan(span).map((hour) => ({
    hour,
    first: firstIdOf(hour.getTime()),
    next: firstIdOf(hour.getTime() + hourMs),
  }));
  const rows = await tx.query<HourRow>(
    countSql,
    [tx.workspaceId, JSON.stringify(hours), accountId ?? null],
    'ledger-count-hours',
  );
  return rows.map(toHour);
}

function hoursOfSpan({ from, to }: LedgerSpan): Date[] {
  const count = Math.ceil((to.getTime() - from.getTime()) / hourMs);
  return Array.from({ length: count }, (_, index) => new Date(from.getTime() + index * hourMs));
}

function toHour(row: HourRow): LedgerHour {
  return {
    accountId: row.account === nilAccount ? null : row.account,
    hour: row.hour,
    counts: Object.fromEntries(counterNames.map((name) => [name, Number(row[name])])) as Record<CounterName, number>,
  };
}

/** What was received once is never taken back: a lower count is a loss, which the balance names. */
export async function saveHours(tx: WorkspaceTx, hours: readonly LedgerHour[], countedAt: Date): Promise<void> {
  if (hours.length === 0) return;
  const rest = counterNames.filter((name) => name !== 'received' && name !== 'stored');
  await tx.query(
    `INSERT INTO ledger_hours (workspace_id, account_id, hour, ${counterNames.join(', ')}, counted_at)
     SELECT $1, COALESCE(h.account, '${nilAccount}'), h.hour, ${counterNames.map((name) => `h.${name}`).join(', ')}, $3
     FROM json_to_recordset($2) AS h (account uuid, hour timestamptz, ${counterNames.map((name) => `${name} bigint`).join(', ')})
     ON CONFLICT (workspace_id, account_id, hour) DO UPDATE SET
       received = GREATEST(ledger_hours.received, EXCLUDED.received), stored = GREATEST(ledger_hours.stored, EXCLUDED.stored),
       ${rest.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}, counted_at = EXCLUDED.counted_at`,
    [
      tx.workspaceId,
      JSON.stringify(hours.map(({ accountId, hour, counts }) => ({ account: accountId, hour, ...counts }))),
      countedAt,
    ],
    'ledger-save-hours',
  );
}

/** As counted last; kept longer than the deliveries themselves. */
export async function loadHours(tx: WorkspaceTx, { span, accountId }: LedgerFilter): Promise<LedgerHour[]> {
  const rows = await tx.query<HourRow>(
    `SELECT account_id AS account, hour, ${counterNames.join(', ')} FROM ledger_hours
     WHERE workspace_id = $1 AND hour >= $2 AND hour < $3 AND ($4::uuid IS NULL OR account_id = $4)
     ORDER BY hour, account_id`,
    [tx.workspaceId, span.from, span.to, accountId ?? null],
    'ledger-load-hours',
  );
  return rows.map(toHour);
}

export interface GapLimits {
  /** What has not gone on for this long is a gap. */
  readonly lateMs: number;
  /** Parked events end by themselves after days; one that is older was forgotten. */
  readonly parkedLateMs: number;
  /** At most so many of a stage are named. */
  readonly maxNamed: number;
}

/** Of `i`, the delivery, and `n`: what is there of its events, and what erasures have taken of them (null: nothing). */
const eventsRead = 'i.event_count - COALESCE(i.duplicate_count, 0)';
const areEventsMissing = `n.there + COALESCE(n.erased, 0) < ${eventsRead}`;
const eventsMissing = `${eventsRead} || ' events were read, ' || n.there || ' are there' || COALESCE(', ' || n.erased || ' were erased', '')`;

/** An erasure takes what was sent before it takes the events `e` that it answered. */
const isBeingPurged = `EXISTS (SELECT FROM erasures x WHERE x.workspace_id = $1 AND x.phase <> 'done'
       AND e.conversation_id = ANY(x.conversation_ids))`;

const gapColumns = 'stage, "accountId", "deliveryId", "eventId", "outboundId", since, detail';

/** $1 workspace, $2 and $3 bounds of the delivery's id, $4 account or null, $5 late before, $6 limit, $7 parked late before. */
const gapSql: readonly string[] = [
  `SELECT 'queue', d.account_id, d.id, NULL::uuid, NULL::uuid, ${instantIn('d.id')}, 'stored, and in no queue'
   FROM deliveries d WHERE d.workspace_id = $1 AND d.id >= $2 AND d.id < $3 AND ($4::uuid IS NULL OR d.account_id = $4)
     AND NOT EXISTS (SELECT FROM inbox i WHERE i.workspace_id = $1 AND i.id = d.id)`,
  `SELECT 'normalise', i.account_id, i.id, NULL::uuid, NULL::uuid, ${instantIn('i.id')},
     'not read after ' || i.attempts + i.left_over || ' tries'
   FROM inbox i WHERE i.workspace_id = $1 AND i.id >= $2 AND i.id < $3 AND ($4::uuid IS NULL OR i.account_id = $4)
     AND i.state = 'stored' AND ${instantIn('i.id')} < $5`,
  // Events of a shared route's delivery lie in other workspaces: findSharedGaps counts those.
  `SELECT 'events', i.account_id, i.id, NULL::uuid, NULL::uuid, i.normalised_at,
     ${eventsMissing}
   FROM inbox i CROSS JOIN LATERAL (SELECT
     (SELECT count(*) FROM events e WHERE e.workspace_id = $1 AND e.delivery_id = i.id) AS there,
     (SELECT sum(x.event_count) FROM erased_events x WHERE x.workspace_id = $1 AND x.delivery_id = i.id) AS erased) AS n
   WHERE i.workspace_id = $1 AND i.id >= $2 AND i.id < $3 AND ($4::uuid IS NULL OR i.account_id = $4)
     AND i.account_id IS NOT NULL AND i.state = 'normalised' AND ${areEventsMissing}`,
  `SELECT 'handle', e.account_id, e.delivery_id, e.id, NULL::uuid, e.created_at, e.kind || ':' || e.type || ' after ' || e.attempts + e.deaths || ' tries'
   FROM events e WHERE e.workspace_id = $1 AND e.delivery_id >= $2 AND e.delivery_id < $3
     AND ($4::uuid IS NULL OR e.account_id = $4) AND e.state = 'pending' AND e.created_at < $5`,
  `SELECT 'parked', e.account_id, e.delivery_id, e.id, NULL::uuid, e.created_at, e.kind || ':' || e.type
   FROM events e WHERE e.workspace_id = $1 AND e.delivery_id >= $2 AND e.delivery_id < $3
     AND ($4::uuid IS NULL OR e.account_id = $4) AND e.state = 'parked' AND e.created_at < $7`,
  `SELECT 'turn', e.account_id, e.delivery_id, e.id, NULL::uuid, e.settled_at, 'handled by a turn that is not there'
   FROM events e WHERE e.workspace_id = $1 AND e.delivery_id >= $2 AND e.delivery_id < $3
     AND ($4::uuid IS NULL OR e.account_id = $4) AND e.turn_id IS NOT NULL AND e.state = 'handled'
     AND NOT EXISTS (SELECT FROM turns t WHERE t.workspace_id = $1 AND t.id = e.turn_id)`,
  `SELECT 'answer', e.account_id, e.delivery_id, e.id, NULL::uuid, t.created_at, t.outcome || ', and no reply is there'
   FROM events e JOIN turns t ON t.workspace_id = $1 AND t.id = e.turn_id AND t.outcome LIKE 'answered%'
   WHERE e.workspace_id = $1 AND e.delivery_id >= $2 AND e.delivery_id < $3 AND ($4::uuid IS NULL OR e.account_id = $4)
     AND NOT EXISTS (SELECT FROM outbox o WHERE o.workspace_id = $1 AND o.turn_id = e.turn_id)
     AND NOT ${isBeingPurged}`,
  `SELECT 'send', o.account_id, (SELECT e.delivery_id FROM turns t JOIN events e ON e.workspace_id = $1 AND e.id = t.event_id
      WHERE t.workspace_id = $1 AND t.id = o.turn_id), NULL::uuid, o.id, o.due_at, o.state || ' after ' || o.attempts || ' tries'
   FROM outbox o WHERE o.workspace_id = $1 AND o.id >= $2 AND o.id < $3 AND ($4::uuid IS NULL OR o.account_id = $4)
     AND o.state IN ('queued', 'claimed', 'sending') AND o.due_at < $5`,
];

export interface FoundGaps {
  readonly gaps: readonly Gap[];
  /** How many there are of each stage, named or not. */
  readonly count: number;
}

type GapRow = Gap & { total: string } & Record<string, unknown>;

export async function findGaps(
  tx: WorkspaceTx,
  { span, accountId }: LedgerFilter,
  now: Date,
  limits: GapLimits,
): Promise<FoundGaps> {
  const before = (ms: number) => new Date(now.getTime() - ms);
  const rows = await tx.query<GapRow>(
    `WITH asked AS (SELECT $5::timestamptz AS late, $6::integer AS named, $7::timestamptz AS parked)
     ${gapSql.map((text) => `(SELECT g.*, count(*) OVER () AS total FROM (${text}) AS g (${gapColumns}) ORDER BY g.since LIMIT $6)`).join(' UNION ALL ')}`,
    [
      ...[tx.workspaceId, firstIdOf(span.from.getTime()), firstIdOf(span.to.getTime()), accountId ?? null],
      ...[before(limits.lateMs), limits.maxNamed, before(limits.parkedLateMs)],
    ],
    'ledger-find-gaps',
  );
  return toFound(rows);
}

/** Deliveries of app-level routes whose events are missing: those lie in every workspace, so the worker looks. */
export async function findSharedGaps(
  storage: Pick<Storage, 'workerStatement'>,
  workspaceId: WorkspaceId,
  span: LedgerSpan,
  maxNamed: number,
): Promise<FoundGaps> {
  const rows = await storage.workerStatement<GapRow>(
    `SELECT 'events' AS stage, NULL::uuid AS "accountId", i.id AS "deliveryId", NULL::uuid AS "eventId", NULL::uuid AS "outboundId",
       i.normalised_at AS since, ${eventsMissing} AS detail,
       count(*) OVER () AS total
     FROM inbox i CROSS JOIN LATERAL (SELECT
       (SELECT count(*) FROM events e JOIN workspaces w ON w.workspace_id = e.workspace_id
        WHERE e.delivery_id = i.id AND e.workspace_id = w.workspace_id) AS there,
       (SELECT sum(x.event_count) FROM erased_events x WHERE x.delivery_id = i.id) AS erased) AS n
     WHERE i.workspace_id = $1 AND i.id >= $2 AND i.id < $3 AND i.account_id IS NULL AND i.state = 'normalised'
       AND ${areEventsMissing}
     ORDER BY i.id LIMIT $4`,
    [workspaceId, firstIdOf(span.from.getTime()), firstIdOf(span.to.getTime()), maxNamed],
    'ledger-find-shared-gaps',
  );
  return toFound(rows);
}

function toFound(rows: readonly GapRow[]): FoundGaps {
  const totals = new Map(rows.map(({ stage, total }) => [stage, Number(total)]));
  return {
    gaps: rows.map(({ total: _total, ...gap }) => gap),
    count: [...totals.values()].reduce((sum, total) => sum + total, 0),
  };
}

/**
 * Workspaces in which something came in, or took effect, since then. All of them while a batch lies longer than `lateMs`
 * before it is unpacked: whose deliveries are in it is not looked for here. One look at an index for each workspace.
 */
export async function findActiveWorkspaces(
  storage: Pick<Storage, 'workerStatement'>,
  since: Date,
  lateSince: Date,
): Promise<WorkspaceId[]> {
  const rows = await storage.workerStatement<{ id: WorkspaceId }>(
    `SELECT w.workspace_id AS id FROM workspaces w WHERE w.deleted_at IS NULL AND (
       EXISTS (SELECT FROM inbox i WHERE i.workspace_id = w.workspace_id AND i.id >= $1)
       OR EXISTS (SELECT FROM events e WHERE e.workspace_id = w.workspace_id AND e.delivery_id >= $1)
       OR EXISTS (SELECT FROM dead_letters l WHERE l.workspace_id = w.workspace_id AND l.delivery_id >= $1)
       OR EXISTS (SELECT FROM ledger_hours h WHERE h.workspace_id = w.workspace_id AND h.hour >= $2)
       OR EXISTS (SELECT FROM arrivals a WHERE a.arrived_at < $3))
     ORDER BY w.workspace_id`,
    [firstIdOf(since.getTime()), since, lateSince],
    'ledger-find-active',
  );
  return rows.map(({ id }) => id);
}
