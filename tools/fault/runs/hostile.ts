/**
 * Hostile requests beside an ordinary load (F28 to F33): each has the one answer that it must get, and what was answered 200
 * must lie in the inbox as it came, whatever it is; afterwards the load is judged as in every run, foreign parts lie with the dead letters of whoever was addressed, and memory has not grown.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Acked } from '../load/order.ts';
import type { Report } from '../report.ts';
import type { Stage } from '../stage/stage.ts';
import { until } from '../stage/until.ts';
import { foreignIds, hostileRequests } from './hostile-corpus.ts';
import { send } from './hostile-send.ts';
import { play, type Scene } from './scene.ts';

export interface HostileOptions {
  readonly webhooks: number;
  readonly seed: number;
  readonly ratePerSecond: number;
}

/** Times the whole corpus; memory is measured after the first, when code and pools are warm. */
const rounds = 5;
const mayGrowBy = 1.5;

export function hostile({ webhooks, seed, ratePerSecond }: HostileOptions): Promise<Report> {
  return play({
    ...{ name: 'hostile', webhooks, seed, ratePerSecond },
    gateways: 1,
    workers: 1,
    conversations: Math.max(60, Math.ceil(webhooks / 12)),
    mayHaveDead: true,
    faults: attack,
  });
}

async function attack(scene: Scene) {
  const { stage, load } = scene;
  const gateway = stage.gateways[0]!;
  const ackedFile = join(stage.folder, 'logs', 'acked-hostile.ndjson');
  const failures: string[] = [];
  let acked = 0;
  let requests = 0;
  let warmMb = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const hostileRequest of hostileRequests(stage.shops, round)) {
      const firstMs = Date.now();
      const status = await send(gateway.plan.port, hostileRequest);
      requests += 1;
      if (status === 200 && hostileRequest.method === 'POST') {
        acked += 1;
        const line = ackedLine({ id: `hostile.${requests}`, firstMs, port: gateway.plan.port }, hostileRequest.body);
        appendFileSync(ackedFile, line);
      }
      if (!hostileRequest.answers.includes(status))
        failures.push(`${hostileRequest.name}: answered ${status}, not ${hostileRequest.answers.join(' or ')}`);
    }
    if (round === 0) warmMb = residentMb(gateway.pid);
  }
  const endMb = residentMb(gateway.pid);
  if (endMb > warmMb * mayGrowBy) failures.push(`the gateway grew from ${warmMb} to ${endMb} MB`);
  await until(() => load.progress.kind === 'done', 600_000, 100);
  failures.push(...(await judgeForeign(stage)));
  if (acked === 0) failures.push('nothing hostile was answered 200: what is stored of it proves nothing');
  return {
    failures: [...new Set(failures)],
    details: { requests, acked, warmMb, endMb },
    moreAcked: acked > 0 ? [ackedFile] : [],
  };
}

function ackedLine(of: Pick<Acked, 'id' | 'firstMs' | 'port'>, body: Buffer): string {
  const sha = createHash('sha256').update(body).digest('hex');
  const line: Acked = { ...of, kind: 'other', target: 0, from: '', n: 0, sha, ackedMs: Date.now(), tries: 1 };
  return `${JSON.stringify(line)}\n`;
}

/** Authentic, and not yours: no event of it anywhere, a dead letter where it was addressed. */
async function judgeForeign(stage: Stage): Promise<string[]> {
  const ids = foreignIds(rounds);
  const isSettled = () =>
    stage.cluster
      .ask<{ open: string }>(
        `SELECT (SELECT count(*) FROM inbox WHERE state = 'stored') + (SELECT count(*) FROM arrivals) AS open`,
      )
      .then(([row]) => row?.open === '0');
  await until(isSettled, 60_000, 250);
  const events = await stage.cluster.ask('SELECT id FROM events WHERE key = ANY($1)', [ids]);
  const letters = await stage.cluster.ask<{ count: string }>(
    `SELECT count(*) FROM dead_letters WHERE reason = 'foreign-account' AND workspace_id = $1`,
    [stage.shops[0]!.workspaceId],
  );
  const found = Number(letters[0]?.count);
  return [
    ...(events.length > 0 ? [`${events.length} messages were taken in for a number that is another's`] : []),
    ...(found !== ids.length ? [`${found} of ${ids.length} foreign parts became dead letters`] : []),
  ];
}

function residentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024);
}
