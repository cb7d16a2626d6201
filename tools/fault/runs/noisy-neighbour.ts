/**
 * One workspace writes little, first alone and then beside another that is written to fifty times as much. What the quiet
 * one's customers wait for their answer, in both halves, is the figure; and nothing may be lost or crossed.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startLoad } from '../load/load.ts';
import type { Report } from '../report.ts';
import type { Stage } from '../stage/stage.ts';
import { play, type Scene } from './scene.ts';

export interface NoisyNeighbourOptions {
  readonly seed: number;
  readonly quietPerSecond: number;
  /** To the quiet one, half of them beside the loud one; without it as many as come in both halves' time. */
  readonly webhooks?: number;
  readonly template?: string;
  readonly home?: string;
}

export const noise = { times: 50, halfMs: 40_000, mayBeTimes: 2 } as const;

/** Shops of different workspaces. */
const quietTarget = 1;
const noisyTarget = 0;
/** Nobody is to write so often as to be told to slow down. */
const secondsBetweenMessages = 12;
const settleMs = 5_000;

export async function noisyNeighbour(options: NoisyNeighbourOptions): Promise<Report> {
  const { seed, quietPerSecond, home, template } = options;
  let figures = { baselineP95Ms: 0, quietP95Ms: 0 };
  const report = await play({
    name: 'noisy-neighbour',
    ...{ seed, ...(home ? { home } : {}), ...(template ? { template } : {}), gateways: 1, workers: 1, webhooks: null },
    ratePerSecond: quietPerSecond,
    onlyTarget: quietTarget,
    receiptsTogether: 20,
    conversations: conversationsFor(quietPerSecond),
    faults: async (scene) => {
      const done = await beLoud(scene, options);
      figures = done.figures;
      return done;
    },
  });
  return { ...report, ...figures };
}

async function beLoud({ stage }: Scene, { seed, quietPerSecond, webhooks }: NoisyNeighbourOptions) {
  const halfMs = webhooks === undefined ? noise.halfMs : (webhooks / 2 / quietPerSecond) * 1_000;
  await wait(settleMs);
  const startedMs = Date.now();
  await wait(halfMs);
  const loudMs = Date.now();
  const logFile = join(stage.folder, 'logs', 'acked-noise.ndjson');
  const ratePerSecond = quietPerSecond * noise.times;
  const noisy = startLoad({
    ...{ targets: stage.targets, ports: stage.gateways.map((gateway) => gateway.plan.port), logFile },
    ...{ onlyTarget: noisyTarget, conversations: conversationsFor(ratePerSecond), total: null, ratePerSecond },
    ...{ seed: seed + 1, duplicateShare: 0, earlyShare: 0 },
  });
  try {
    await wait(halfMs);
    const endedMs = Date.now();
    noisy.stop();
    const { acked, p99Ms, refused } = await noisy.done(60_000);
    // What was asked at the very end is answered by then, or it is late indeed.
    await wait(settleMs);
    const figures = {
      baselineP95Ms: await answerP95(stage, startedMs, loudMs),
      quietP95Ms: await answerP95(stage, loudMs, endedMs),
    };
    const hopsP95Ms = {
      alone: await hopsP95(stage, startedMs, loudMs),
      beside: await hopsP95(stage, loudMs, endedMs),
    };
    const details = { noise: { acked, p99Ms, refused }, hopsP95Ms };
    const failures = [...judge(figures), ...(refused > 0 ? [`${refused} webhooks of the loud one were refused`] : [])];
    return { failures, details, moreAcked: [logFile], figures };
  } finally {
    noisy.end();
  }
}

function judge({ baselineP95Ms, quietP95Ms }: { readonly baselineP95Ms: number; readonly quietP95Ms: number }) {
  if (quietP95Ms <= baselineP95Ms * noise.mayBeTimes) return [];
  return [`the quiet workspace waited ${quietP95Ms} ms beside ${baselineP95Ms} ms when it was alone (p95)`];
}

function conversationsFor(ratePerSecond: number): number {
  return Math.max(20, ratePerSecond * secondsBetweenMessages);
}

/** From the arrival of a quiet customer's message to the record of the provider's yes to the reply, in milliseconds. */
async function answerP95(stage: Stage, fromMs: number, untilMs: number): Promise<number> {
  const [row] = await stage.cluster.ask<{ ms: number | null }>(
    `SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY answer.ms) AS ms FROM events e, LATERAL (
       SELECT extract(epoch FROM COALESCE(min(o.settled_at), now()) - e.received_at)::float8 * 1000 AS ms
       FROM outbox o WHERE o.workspace_id = e.workspace_id AND o.turn_id = e.turn_id) AS answer
     WHERE e.account_id = $1 AND e.kind = 'message' AND e.state <> 'ignored'
       AND e.received_at BETWEEN to_timestamp($2 / 1000.0) AND to_timestamp($3 / 1000.0)`,
    [stage.shops[quietTarget]!.accountId, fromMs, untilMs],
  );
  if (!row || row.ms === null) throw new Error('the quiet workspace was never answered: this run proves nothing');
  return Math.round(row.ms);
}

/**
 * Where the quiet customers' time went: until the event was written, until the turn began, the turn itself with its commit and
 * the wait for a sender, the provider's answer, and its record. Beginnings are those of their transactions.
 */
async function hopsP95(stage: Stage, fromMs: number, untilMs: number): Promise<Record<string, number>> {
  const ms = (from: string, to: string) =>
    `percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM ${to} - ${from})::float8 * 1000)`;
  const [row] = await stage.cluster.ask<Record<string, number | null>>(
    `SELECT ${ms('e.received_at', 'e.created_at')} AS read, ${ms('e.created_at', 't.created_at')} AS "toTurn",
       ${ms('t.created_at', 'a.started_at')} AS "toSend", ${ms('a.started_at', 'a.ended_at')} AS provider,
       ${ms('a.ended_at', 'o.settled_at')} AS record
     FROM events e JOIN turns t ON t.workspace_id = e.workspace_id AND t.id = e.turn_id
     JOIN outbox o ON o.workspace_id = e.workspace_id AND o.turn_id = e.turn_id
     JOIN attempts a ON a.workspace_id = o.workspace_id AND a.outbound_id = o.id
     WHERE e.account_id = $1 AND e.kind = 'message'
       AND e.received_at BETWEEN to_timestamp($2 / 1000.0) AND to_timestamp($3 / 1000.0)`,
    [stage.shops[quietTarget]!.accountId, fromMs, untilMs],
  );
  return Object.fromEntries(Object.entries(row ?? {}).map(([hop, p95]) => [hop, Math.round(p95 ?? 0)]));
}
