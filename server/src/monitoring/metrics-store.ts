/**
 * Numbers for collectors, in Prometheus' text form; labels hold no tenant's words. From the first one who asks on: the
 * package is not loaded before.
 */
import type { Registry } from 'prom-client';
import { once } from '#kernel';
import type { Storage } from '#storage';
import { type Pressure, pressureSteps } from './pressure/index.ts';

export function createMetrics(storage: MeasuredStorage, readPressure: () => Pressure): () => Promise<string> {
  const open = once(() => openRegistry(storage, readPressure));
  return async () => (await open()).metrics();
}

type MeasuredStorage = Pick<Storage, 'workerStatement'>;

async function openRegistry(storage: MeasuredStorage, readPressure: () => Pressure): Promise<Registry> {
  const { collectDefaultMetrics, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'switchyard_' });
  const gauge = (name: string, help: string, read: () => Promise<number>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read());
      },
    });
  const backlog = async (sql: string, name: string) => {
    const rows = await storage.workerStatement<{ count: string }>(sql, [], name);
    return Number(rows[0]?.count ?? 0);
  };
  gauge('switchyard_arrivals_waiting', 'Deliveries that wait to be unpacked', () =>
    backlog('SELECT COALESCE(sum(delivery_count), 0) AS count FROM arrivals', 'metrics-arrivals'),
  );
  gauge('switchyard_inbox_stored', 'Deliveries that wait to be normalised', () =>
    backlog(`SELECT count(*) FROM inbox WHERE state = 'stored'`, 'metrics-inbox'),
  );
  gauge('switchyard_conversations_due', 'Conversations with pending events', () =>
    backlog('SELECT count(*) FROM conversations WHERE next_due_at IS NOT NULL', 'metrics-due'),
  );
  gauge('switchyard_outbox_open', 'Outbound messages on their way', () =>
    backlog(`SELECT count(*) FROM outbox WHERE state IN ('queued', 'claimed', 'sending')`, 'metrics-outbox'),
  );
  gauge(
    'switchyard_pressure_step',
    `What is held back under pressure: 0 nothing, up to ${pressureSteps.length} deliveries (${pressureSteps.join(', ')})`,
    async () => {
      const { step } = readPressure();
      return step === null ? 0 : pressureSteps.indexOf(step) + 1;
    },
  );
  return registry;
}
