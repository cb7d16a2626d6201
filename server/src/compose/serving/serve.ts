/** The server as it runs: listener, workers, dispatcher, as the roles say; and its orderly end. */
import { prepareSending } from '#channels';
import { createGateway } from '#gateway';
import { createReceiver, inboxTopic } from '#inbox';
import { createMetrics, writeAbsence } from '#monitoring';
import { channels } from '../channels.ts';
import { readVersion } from '../foundation.ts';
import type { Product } from '../rooms.ts';
import { watchDowntime } from '../upkeep/downtime.ts';
import { askable, askForOwed } from '../upkeep/looks.ts';
import { startMaintenance } from '../upkeep/maintenance.ts';
import { askForRefusing, startRefusalWatch } from '../upkeep/refusing.ts';
import { keepUp } from '../upkeep/upkeep.ts';
import { barePages } from './bare-pages.ts';
import { createBell } from './inbox-bell.ts';
import { openListener } from './listener.ts';
import { loadApi, openApi } from './open-api.ts';

export interface RunningServer {
  readonly url: string;
  /** Readiness off, stop listening, finish what is in flight, give back leases. */
  stop(): Promise<void>;
}

export const serveLimits = { graceMs: 10_000, upkeepMs: 3_600_000 } as const;

export async function serve(product: Product): Promise<RunningServer> {
  const { config, foundation } = product;
  const { log, engines } = foundation;
  const isWorker = config.roles.includes('worker');
  const drain = isWorker ? product.createDrain() : null;
  const dispatcher = isWorker ? product.createDispatcher() : null;
  if (dispatcher) product.outbox.attach(dispatcher);
  const bell = createBell(() => engines.doorbell.ring(inboxTopic));
  const receiver = createReceiver({
    storage: foundation.storage,
    log,
    stored: () => {
      drain?.nudge();
      if (!drain) bell.ring();
    },
  });
  const refusals = startRefusalWatch(product);
  const gateway = createGateway({
    accounts: product.accounts,
    channels,
    receiver,
    sealer: foundation.sealer,
    counters: engines.counters,
    settings: { ...config, publicUrl: config.publicUrl },
    isRefusing: () => product.pressure.isRefusing,
    noteUnavailable: (error) => refusals?.note(error),
    operatorWorkspace: async () => (await product.workspaces.operatorWorkspace()).id,
    authenticateKey: async (key) => product.workspaces.findByKey(key),
    canaries: product.canaryDoor,
    clock: foundation.clock,
    log,
  });
  const listener = await openListener({ config, gateway: config.roles.includes('gateway') ? gateway : null });
  if (config.roles.includes('gateway')) product.canaryDoor.listensAt(listener.url);
  if (config.isLedgerOn) product.pressure.start();
  if (isWorker) await prepareSending();
  drain?.start();
  dispatcher?.start();
  const alarmSender = isWorker && config.isLedgerOn ? product.monitoring.alarms.createSender() : null;
  alarmSender?.start();
  const maintenance = isWorker ? startMaintenance(product, receiver) : null;
  const downtime = config.roles.includes('gateway')
    ? watchDowntime({
        ...{ storage: foundation.storage, log, askable },
        noteAbsence: config.isLedgerOn ? writeAbsence : undefined,
        begin: async () => {
          await askForOwed(engines);
          await askForRefusing(engines);
        },
      })
    : null;
  const upkeep = setInterval(() => keepUp(product, loadApi), serveLimits.upkeepMs);
  upkeep.unref();
  let isStopping = false;
  const pages = {
    unready: async () => (isStopping ? ['stopping'] : unreadyParts(product)),
    metrics: createMetrics(foundation.storage, () => product.pressure.pressure),
    version: await readVersion(),
  };
  const api = config.roles.includes('api') ? openApi(product, listener, pages) : null;
  if (!api) listener.serveOthers(barePages({ ...pages, log }));
  const server: RunningServer = {
    url: listener.url,
    async stop() {
      isStopping = true;
      clearInterval(upkeep);
      downtime?.stop();
      product.canaryDoor.listensAt(null);
      const closed = Promise.all([
        listener.close(serveLimits.graceMs),
        api?.then((opened) => opened.close(), ignoreNotOpened),
      ]);
      await Promise.all([
        // What was asked before the listener closed is still stored.
        closed.then(() => receiver.close()),
        drain?.stop(serveLimits.graceMs),
        dispatcher?.stop(serveLimits.graceMs),
        alarmSender?.stop(),
        maintenance?.stop(),
        refusals?.stop(),
        product.pressure.stop(),
      ]);
      bell.stop();
    },
  };
  try {
    await api;
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** Whoever waits for it is told. */
function ignoreNotOpened(): void {}

async function unreadyParts(product: Product): Promise<readonly string[]> {
  try {
    await product.foundation.storage.gatewayStatement('SELECT 1', [], 'ready');
    return [];
  } catch (error) {
    return [`database: ${error instanceof Error ? error.message : String(error)}`];
  }
}
