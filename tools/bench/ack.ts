/**
 * `ack`: how long a provider waits for its 200 when webhooks come at a steady rate, gateway and worker and database with
 * real commits beside it. What is due is sent whether or not the one before was answered, and each wait counts from the
 * moment at which it was due: a server that stands still is not asked less.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { round } from './ingest.ts';
import type { PacedOrder, PacedReport } from './paced-loader.ts';
import { ask, startServer } from './processes.ts';
import { makeShop, type Shop, workerUrlOf } from './shop.ts';

export interface AckOptions {
  readonly rate: number;
  readonly seconds: number;
}

export async function ack({ rate, seconds }: AckOptions) {
  const door = await openDoor();
  const shop = await makeShop({ META_GRAPH_URL: door.url, ROLES: 'gateway' });
  const gateway = await startServer(shop.env);
  const worker = await startServer({ ...shop.env, ROLES: 'worker', PORT: String(shop.port + 1) });
  try {
    const order = { port: shop.port, target: shop.target };
    await ask<PacedReport>('./paced-loader.ts', { ...order, perSecond: rate / 4, seconds: 2 } satisfies PacedOrder);
    const report = await ask<PacedReport>('./paced-loader.ts', {
      ...order,
      perSecond: rate,
      seconds,
    } satisfies PacedOrder);
    const backlog = await backlogOf(shop);
    return {
      name: 'ack',
      askedPerSecond: rate,
      answeredPerSecond: Math.round(report.answered / report.seconds),
      sent: report.sent,
      acked: report.statuses['200'] ?? 0,
      errors: report.sent - (report.statuses['200'] ?? 0),
      statuses: report.statuses,
      p50Ms: round(report.p50Ms, 1),
      p99Ms: round(report.p99Ms, 1),
      maxMs: round(report.maxMs, 1),
      /** When the last was answered: received and not yet read, read and not yet handled, replies not yet sent. */
      backlog,
    };
  } finally {
    await Promise.all([gateway.stop(), worker.stop()]);
    door.close();
    shop.remove();
  }
}

/** Meta's answer to every send. */
async function openDoor(): Promise<{ readonly url: string; close(): void }> {
  let made = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      made += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ messaging_product: 'whatsapp', messages: [{ id: `wamid.OUT${made}` }] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function backlogOf(
  shop: Shop,
): Promise<{ readonly unread: number; readonly unhandled: number; readonly unsent: number }> {
  const client = new pg.Client({
    connectionString: await workerUrlOf(shop),
    options: '-c search_path=switchyard',
  });
  await client.connect();
  try {
    const { rows } = await client.query<Record<'unread' | 'unhandled' | 'unsent', string>>(
      `SELECT (SELECT count(*) FROM inbox WHERE state = 'stored') + (SELECT COALESCE(sum(delivery_count), 0) FROM arrivals) AS unread,
         (SELECT count(*) FROM events WHERE state = 'pending') AS unhandled,
         (SELECT count(*) FROM outbox WHERE state IN ('queued', 'claimed', 'sending')) AS unsent`,
    );
    const row = rows[0]!;
    return { unread: Number(row.unread), unhandled: Number(row.unhandled), unsent: Number(row.unsent) };
  } finally {
    await client.end();
  }
}
