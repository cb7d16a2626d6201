/** `memory`: proportional set size of server and workers, idle and over a long run of webhooks. */

import { round } from './ingest.ts';
import type { LoadReport } from './loader.ts';
import { answerOf, ask, forkTool, pssMb, startServer } from './processes.ts';
import { makeShop } from './shop.ts';

const stages = 10;

export async function memory(options: { readonly webhooks: number }) {
  const customers = forkTool('./turn-loader.ts');
  const { door } = await answerOf<{ door: number }>(customers);
  const shop = await makeShop({ META_GRAPH_URL: `http://127.0.0.1:${door}` });
  const server = await startServer(shop.env);
  try {
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const idleMb = pssMb(server.pid);
    const series: { readonly webhooks: number; readonly pssMb: number }[] = [];
    let sent = 0;
    while (sent < options.webhooks) {
      const report = await ask<LoadReport>('./loader.ts', {
        port: shop.port,
        target: shop.target,
        connections: 16,
        seconds: 5,
        warmSeconds: 0,
      });
      sent += Object.values(report.statuses).reduce((sum, count) => sum + count, 0);
      if (sent >= (series.length * options.webhooks) / stages) {
        series.push({ webhooks: sent, pssMb: round(pssMb(server.pid), 1) });
        console.error(`${sent} webhooks: ${series.at(-1)?.pssMb} MB`);
      }
    }
    return { name: 'memory', idleMb: round(idleMb, 1), afterMb: series.at(-1)?.pssMb, series };
  } finally {
    customers.kill();
    await server.stop();
    shop.remove();
  }
}
