/** The server as it runs: listener, workers, dispatcher, as the roles say; and its orderly end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createApi, deleteOldKeys } from '#api';
import type { Config } from '#config';
import { createGateway, listenerLimits } from '#gateway';
import { createReceiver, inboxTopic } from '#inbox';
import { createMetrics } from '#monitoring';
import { ensurePartitions, partitionDaysAhead } from '#storage';
import { deleteEndedSessions } from '#workspaces';
import { watchDowntime } from './downtime.ts';
import { readVersion } from './foundation.ts';
import { askForLost, askForRecent, startMaintenance } from './maintenance.ts';
import { channels, type Product } from './product.ts';
import { createTurnstile } from './turnstile.ts';

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
  const gateway = createGateway({
    accounts: product.accounts,
    channels,
    receiver,
    sealer: foundation.sealer,
    counters: engines.counters,
    settings: { ...config, publicUrl: config.publicUrl },
    isRefusing: () => product.pressure.isRefusing,
    operatorWorkspace: async () => (await product.workspaces.operatorWorkspace()).id,
    authenticateKey: async (key) => product.workspaces.findByKey(key),
    canaries: product.canaryDoor,
    clock: foundation.clock,
    log,
  });
  let isStopping = false;
  const metrics = createMetrics(foundation.storage, () => product.pressure.pressure);
  const listener = await listen(product, {
    takesWebhooks: config.roles.includes('gateway'),
    gateway,
    unready: async () => (isStopping ? ['stopping'] : unreadyParts(product)),
    metrics,
  });
  if (config.roles.includes('gateway')) product.canaryDoor.listensAt(listener.url);
  if (config.isLedgerOn) product.pressure.start();
  drain?.start();
  dispatcher?.start();
  const alarmSender = isWorker && config.isLedgerOn ? product.monitoring.alarms.createSender() : null;
  alarmSender?.start();
  const maintenance = isWorker ? startMaintenance(product, receiver) : null;
  const downtime = config.roles.includes('gateway')
    ? watchDowntime({ storage: foundation.storage, log, gap: (span) => askForLost(engines, span) })
    : null;
  const upkeep = setInterval(() => keepUp(product), serveLimits.upkeepMs);
  upkeep.unref();
  return {
    url: listener.url,
    async stop() {
      isStopping = true;
      clearInterval(upkeep);
      downtime?.stop();
      product.canaryDoor.listensAt(null);
      await listener.close();
      await maintenance?.stop();
      await Promise.all([
        product.pressure.stop(),
        receiver.close(),
        drain?.stop(serveLimits.graceMs),
        dispatcher?.stop(serveLimits.graceMs),
        alarmSender?.stop(),
      ]);
      bell.stop();
    },
  };
}

interface ListenParts {
  readonly takesWebhooks: boolean;
  readonly gateway: ReturnType<typeof createGateway>;
  readonly unready: () => Promise<readonly string[]>;
  readonly metrics: () => Promise<string>;
}

/** One listener: webhooks go straight to the gateway's plain handler, everything else in turn through the API. */
async function listen(product: Product, parts: ListenParts): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { config, foundation } = product;
  const { engines } = foundation;
  let server: Server | undefined;
  const api = await createApi(
    {
      storage: foundation.storage,
      engines,
      workspaces: product.workspaces,
      people: product.people,
      accounts: product.accounts,
      providerWebhooks: product.providerWebhooks,
      pairing: product.pairing,
      companions: product.companions,
      conversations: product.conversations,
      outbox: product.outbox,
      commerce: product.commerce,
      flows: product.flows,
      privacy: product.privacy,
      retention: product.retention,
      upkeep: (name, id, payload) => engines.jobs.enqueue('maintenance', { name, id, payload }),
      sealer: foundation.sealer,
      noteChange: product.liveBell.noteAfterCommit,
      monitoring: product.monitoring,
      isSlowingReads: () => product.pressure.isSlowingReads,
      capabilitiesOf: (provider) => channels[provider].capabilities,
      fieldsOf: (provider) => channels[provider].fields,
      clock: foundation.clock,
      log: foundation.log,
      version: await readVersion(),
      publicUrl: config.publicUrl,
      isProxyTrusted: config.isProxyTrusted,
      consoleFolder: join(import.meta.dirname, '..', '..', '..', 'console', 'dist'),
      unready: parts.unready,
      metrics: parts.metrics,
    },
    (handler) => {
      server = listener(parts, handler);
      return server;
    },
  );
  await api.ready();
  await new Promise<void>((resolve, reject) => {
    server?.once('error', (error) => reject(refusedPort(config, error)));
    server?.listen(config.port, config.host, resolve);
  });
  return { url: config.localUrl, close: () => api.close() };
}

function listener(parts: ListenParts, handler: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const { maxConnections, ...limits } = listenerLimits;
  const inTurn = createTurnstile((work) => void setImmediate(work));
  const server = createServer(limits, (request, response) => {
    if (parts.takesWebhooks && parts.gateway.handles(request.url ?? '')) parts.gateway.handle(request, response);
    else inTurn(() => handler(request, response));
  });
  server.maxConnections = maxConnections;
  return server;
}

function refusedPort(config: Config, error: NodeJS.ErrnoException): Error {
  if (error.code === 'EADDRINUSE')
    return new Error(`port ${config.port} on ${config.host} is taken; set PORT to another`);
  return new Error(`cannot listen on ${config.host}:${config.port}: ${error.message}`);
}

async function unreadyParts(product: Product): Promise<readonly string[]> {
  try {
    await product.foundation.storage.gatewayStatement('SELECT 1', [], 'ready');
    return [];
  } catch (error) {
    return [`database: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** Once an hour: the partitions of the next days, and what has outlived its use. */
function keepUp(product: Product): void {
  const { owner, storage, engines, clock, log } = product.foundation;
  askForRecent(engines, clock.now()).catch((error: unknown) =>
    log.warn({ error: String(error) }, 'providers could not be asked for what was lost lately'),
  );
  deleteOldKeys(storage).catch((error: unknown) =>
    log.warn({ error: String(error) }, 'old idempotency keys could not be deleted'),
  );
  deleteEndedSessions(storage).catch((error: unknown) =>
    log.warn({ error: String(error) }, 'ended sessions could not be deleted'),
  );
  ensurePartitions({ ownerUrl: owner.ownerUrl }, clock.now(), partitionDaysAhead).catch((error: unknown) =>
    log.error({ error: String(error) }, 'the partitions of the next days could not be made'),
  );
}

const bellPauseMs = 20;

/** Rings at most once in `bellPauseMs`, however many batches are stored; the last of them is never left unrung. */
function createBell(ring: () => Promise<void>) {
  let timer: NodeJS.Timeout | null = null;
  return {
    ring(): void {
      timer ??= setTimeout(() => {
        timer = null;
        ring().catch(() => {
          // The workers poll; a bell that does not ring costs them half a second.
        });
      }, bellPauseMs);
    },
    stop(): void {
      if (timer) clearTimeout(timer);
    },
  };
}
