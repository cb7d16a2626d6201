/**
 * `memory`: proportional set size of server and workers, idle and over a long run of webhooks: messages that the bot answers,
 * and for each reply the three receipts that Meta tells of it. As many conversations are in flight as is said below, and
 * one goes on only when its reply has come: what waits has a bound, so that memory and not a backlog is looked at.
 */
import { judgeFlat } from './flat.ts';
import { round } from './ingest.ts';
import { answerOf, childrenOf, forkTool, pssMb, startServer } from './processes.ts';
import { addAccounts, makeShop } from './shop.ts';
import { ask, refuseWrong, turnAccounts } from './turn.ts';

/** Measured after each. */
const stageSeconds = 12;
const conversationsInFlight = 48;
const longestSeconds = 420;
const idleLimitMb = 350;
const settleMs = 5_000;

interface Measured {
  readonly webhooks: number;
  /** Server and workers, which are one process here. */
  readonly pssMb: number;
  /** Beside it, not judged. */
  readonly databaseMb: number;
}

export async function memory(options: { readonly webhooks: number }) {
  const customers = forkTool('./turn-loader.ts');
  const { door } = await answerOf<{ door: number }>(customers);
  const shop = await makeShop({ META_GRAPH_URL: `http://127.0.0.1:${door}` });
  const targets = await addAccounts(shop, turnAccounts);
  const server = await startServer(shop.env);
  try {
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const idleMb = pssMb(server.pid);
    const series: Measured[] = [];
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1_000;
    let webhooks = 0;
    while (webhooks < options.webhooks && seconds() < longestSeconds) {
      const stage = {
        port: shop.port,
        targets,
        inFlight: conversationsInFlight,
        seconds: stageSeconds,
        warmSeconds: 0,
      };
      const report = await ask(customers, { ...stage, receipts: ['sent', 'delivered', 'read'] });
      refuseWrong([report]);
      webhooks += report.webhooks;
      series.push(measure(server.pid, shop.postmaster(), webhooks));
      console.error(`${seconds().toFixed(0)} s: ${JSON.stringify(series.at(-1))}`);
    }
    const flatness = judgeFlat(series.map(({ pssMb: mb }) => mb));
    const idle = { idleMb: round(idleMb, 1), isIdleWithin: idleMb < idleLimitMb };
    const run = { webhooks, isWhole: webhooks >= options.webhooks, seconds: Math.round(seconds()) };
    return { name: 'memory', ...idle, ...run, ...flatness, series };
  } finally {
    customers.kill();
    await server.stop();
    shop.remove();
  }
}

function measure(pid: number, postmaster: number, webhooks: number): Measured {
  const database = [postmaster, ...childrenOf(postmaster)].reduce((sum, one) => sum + pssMb(one), 0);
  return { webhooks, pssMb: round(pssMb(pid), 1), databaseMb: round(database, 1) };
}
