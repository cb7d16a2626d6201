/**
 * `log-in`: 500 people log in at once at a server that takes webhooks at a steady pace. Each hash is dear; they wait in a line
 * with an end, are told to come back beyond it, and do. What is measured is how long the webhooks wait meanwhile, and before.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { round } from './ingest.ts';
import type { FloodReport } from './log-in-loader.ts';
import { answerOf, ask, forkTool, startServer } from './processes.ts';
import { makeShop } from './shop.ts';
import type { Paced } from './webhook-pacer.ts';

const people = 500;
const perSecond = 40;
const warmMs = 4_000;
const quietMs = 8_000;

export async function logIn() {
  // Gateway, interface and workers in one process, as a small installation runs; each person comes from a place of their own.
  const shop = await makeShop({ TRUST_PROXY: '1' });
  const server = await startServer(shop.env);
  const pacer = forkTool('./webhook-pacer.ts');
  try {
    const told = answerOf<Paced>(pacer);
    pacer.send({ port: shop.port, target: shop.target, perSecond });
    await pause(warmMs);
    const quietSince = Date.now();
    await pause(quietMs);
    const flood = await ask<FloodReport>('./log-in-loader.ts', { port: shop.port, people });
    pacer.send('stop');
    const { waits, refused } = await told;
    if (refused > 0) throw new Error(`${refused} webhooks were not acknowledged`);
    const during = waitsBetween(waits, flood.begunAtMs, flood.endedAtMs);
    return {
      name: 'log-in',
      people,
      floodSeconds: round((flood.endedAtMs - flood.begunAtMs) / 1_000, 1),
      answered: flood.answered,
      toldToComeBack: flood.toldToComeBack,
      before: waitsBetween(waits, quietSince, quietSince + quietMs),
      during,
      p99Ms: during.p99Ms,
    };
  } finally {
    pacer.kill();
    await server.stop();
    shop.remove();
  }
}

function waitsBetween(waits: Paced['waits'], fromMs: number, toMs: number) {
  const sorted = waits
    .filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs)
    .map(({ waitMs }) => waitMs)
    .sort((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0, 1);
  return { webhooks: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
