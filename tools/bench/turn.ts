/**
 * `turn`: webhook in to reply at the stand-in's door, beside a minimal durable echo on the same database: sixteen
 * conversations in flight, interleaved in one run; then latencies at half of what was reached.
 */
import type { ChildProcess } from 'node:child_process';
import { round } from './ingest.ts';
import type { MetaTarget } from './meta-body.ts';
import { answerOf, cpuSeconds, databaseCpuSeconds, forkTool, median, startServer } from './processes.ts';
import { addAccounts, makeShop, ownerUrlOf } from './shop.ts';
import type { TurnOrder, TurnReport } from './turn-loader.ts';

export interface TurnOptions {
  readonly pairs: number;
  readonly seconds: number;
}

export const inFlight = 16;
/** Meta takes 80 messages a second from a number: enough of them that this limit is not what is measured. */
export const turnAccounts = 40;

export async function turn(options: TurnOptions) {
  const customers = forkTool('./turn-loader.ts');
  const { door } = await answerOf<{ door: number }>(customers);
  const doorUrl = `http://127.0.0.1:${door}`;
  const shop = await makeShop({ META_GRAPH_URL: doorUrl });
  const targets = await addAccounts(shop, turnAccounts);
  const server = await startServer(shop.env);
  const echo = forkTool('./echo-server.ts');
  echo.send({ databaseUrl: await ownerUrlOf(shop), door: doorUrl, appSecret: shop.target.appSecret });
  try {
    const { port: echoPort } = await answerOf<{ port: number }>(echo);
    const load = (port: number, more: Partial<TurnOrder>) =>
      ask(customers, { port, targets, inFlight, seconds: options.seconds, warmSeconds: 1, ...more });
    const used = (): Cost => ({
      server: cpuSeconds(server.pid),
      database: databaseCpuSeconds(shop.postmaster()),
      customers: cpuSeconds(customers.pid ?? 0),
    });
    await load(shop.port, { seconds: 2 });
    const pairs: { readonly echo: TurnReport; readonly ours: TurnReport }[] = [];
    const costs: Cost[] = [];
    for (let pair = 0; pair < options.pairs; pair += 1) {
      const echoed = await load(echoPort, {});
      const before = used();
      const one = { echo: echoed, ours: await load(shop.port, {}) };
      costs.push(costOf(before, used(), one.ours.webhooks));
      pairs.push(one);
      console.error(
        `pair ${pair + 1}: echo ${one.echo.perSecond.toFixed(0)}/s, ours ${one.ours.perSecond.toFixed(0)}/s`,
      );
    }
    const turnsPerSecond = median(pairs.map((pair) => pair.ours.perSecond));
    const half = await load(shop.port, { perSecond: turnsPerSecond / 2, seconds: Math.max(5, options.seconds) });
    refuseWrong([...pairs.map((pair) => pair.ours), half]);
    return {
      name: 'turn',
      baselinePerSecond: Math.round(median(pairs.map((pair) => pair.echo.perSecond))),
      turnsPerSecond: Math.round(turnsPerSecond),
      ratio: round(median(pairs.map((pair) => pair.ours.perSecond / pair.echo.perSecond)), 3),
      p50Ms: round(half.p50Ms, 1),
      p99Ms: round(half.p99Ms, 1),
      cpuMs: medianCost(costs),
      crossed: pairs.reduce((sum, pair) => sum + pair.ours.crossed, half.crossed),
      unanswered: pairs.reduce((sum, pair) => sum + pair.ours.unanswered, half.unanswered),
    };
  } finally {
    customers.kill();
    echo.kill();
    await server.stop();
    shop.remove();
  }
}

/** Processor time in seconds; of one turn, in milliseconds. */
interface Cost {
  readonly server: number;
  readonly database: number;
  readonly customers: number;
}

function costOf(before: Cost, after: Cost, turns: number): Cost {
  const each = (part: keyof Cost) => ((after[part] - before[part]) * 1_000) / turns;
  return { server: each('server'), database: each('database'), customers: each('customers') };
}

function medianCost(costs: readonly Cost[]): Cost {
  const of = (part: keyof Cost) => round(median(costs.map((cost) => cost[part])), 2);
  return { server: of('server'), database: of('database'), customers: of('customers') };
}

export function ask(
  customers: ChildProcess,
  order: TurnOrder & { readonly targets: readonly MetaTarget[] },
): Promise<TurnReport> {
  const answer = answerOf<TurnReport>(customers);
  customers.send(order);
  return answer;
}

export function refuseWrong(reports: readonly TurnReport[]): void {
  for (const report of reports) {
    if (report.crossed > 0 || report.unanswered > 0 || report.refused > 0) {
      throw new Error(`not every phone that asked was answered, or another was: ${JSON.stringify(report)}`);
    }
  }
}
