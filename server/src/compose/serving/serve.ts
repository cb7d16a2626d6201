/** The server as it runs: listener, workers, dispatcher, as the roles say; and its orderly end. */
import { prepareSending } from '#channels';
import { createGateway } from '#gateway';
import { createReceiver, inboxTopic } from '#inbox';
import { createMetrics, writeAbsence } from '#monitoring';
import { channels } from '../channels.ts';
import { type Deadline, deadlineIn } from '../deadline.ts';
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
import { stopInOrder, stopLimits } from './stop-in-order.ts';

export interface RunningServer {
  readonly url: string;
  /**
   * Readiness off and no more work taken up, at once; webhooks are taken until the notice is over (`STOP_NOTICE_MS`); then no new
   * connection. What is in flight is finished and leases are given back until shortly before the deadline. Never rejects.
   */
  stop(deadline?: Deadline): Promise<void>;
}

export const serveLimits = { upkeepMs: 3_600_000 } as const;

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
    async stop(deadline = deadlineIn(stopLimits.allMs)) {
      isStopping = true;
      clearInterval(upkeep);
      downtime?.stop();
      product.canaryDoor.listensAt(null);
      const others = {
        alarms: alarmSender?.stop(),
        maintenance: maintenance?.stop(),
        refusals: refusals?.stop(),
        pressure: product.pressure.stop(),
      };
      await stopInOrder({ config, log, listener, receiver, api, drain, dispatcher, others }, deadline);
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

async function unreadyParts(product: Product): Promise<readonly string[]> {
  try {
    await product.foundation.storage.gatewayStatement('SELECT 1', [], 'ready');
    return [];
  } catch (error) {
    return [`database: ${error instanceof Error ? error.message : String(error)}`];
  }
}
