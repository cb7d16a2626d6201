/**
 * The queue `maintenance`: background work of the platform by name. One table of what there is; a job's payload carries
 * ids, and what it does may be done twice.
 */
import type { Receiver } from '#inbox';
import type { Log } from '#kernel';
import type { Product } from '../rooms.ts';
import { lookHandlers } from './looks.ts';
import { reconcileDeps } from './reconciling.ts';

const maintenanceTimes = {
  purgeMs: 60_000,
  returnedMs: 3_600_000,
  retentionMs: 6 * 3_600_000,
  owedLooksMs: 60_000,
  retryMs: 30_000,
} as const;

type Handler = (payload: unknown, signal: AbortSignal) => Promise<unknown>;

export interface Maintenance {
  stop(): Promise<void>;
}

/** Starts to work through the queue; where the database is away it tries again until it is told to stop. */
export function startMaintenance(product: Product, receiver: Receiver): Maintenance {
  const stopping = new AbortController();
  const { engines, log } = product.foundation;
  const handlers = handlersOf(product, receiver);
  const begin = async () => {
    await engines.jobs.work('maintenance', (job) => handle(handlers, job, stopping.signal), {
      concurrency: 1,
      maxAttempts: 10,
    });
    for (const [name, everyMs] of Object.entries(schedulesOf(product)))
      await engines.jobs.schedule('maintenance', { name, everyMs, payload: null });
  };
  const begun = untilDone(begin, { log, signal: stopping.signal });
  return {
    async stop() {
      stopping.abort();
      await begun;
    },
  };
}

/** How often what comes by itself is done, in milliseconds. */
function schedulesOf(product: Product): Readonly<Record<string, number>> {
  const watching = Object.entries(watchingOf(product)).map(([name, { everyMs }]) => [name, everyMs] as const);
  const { purgeMs, returnedMs, retentionMs, owedLooksMs } = maintenanceTimes;
  return {
    ...{ purge: purgeMs, returned: returnedMs, retention: retentionMs, 'owed-looks': owedLooksMs },
    ...Object.fromEntries(watching),
  };
}

/** The ledger, alarms and canaries; none where the operator has switched them off. */
function watchingOf({ config, monitoring }: Product): Product['monitoring']['jobs'] {
  return config.isLedgerOn ? monitoring.jobs : {};
}

async function untilDone(
  begin: () => Promise<void>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
) {
  while (!signal.aborted) {
    try {
      return await begin();
    } catch (error) {
      log.warn({ error: String(error) }, 'upkeep could not begin; it is tried again');
      await pause(maintenanceTimes.retryMs, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
  });
}

function handlersOf(product: Product, receiver: Receiver): Readonly<Record<string, Handler>> {
  // A schedule outlives the setting that laid it: what is switched off is still known, and does nothing.
  const { config, monitoring } = product;
  const { storage, engines, log } = product.foundation;
  const watching = Object.entries(monitoring.jobs).map(
    ([name, job]) => [name, async () => (config.isLedgerOn ? job.run() : undefined)] as const,
  );
  return {
    ...Object.fromEntries(watching),
    purge: (_payload, signal) => product.privacy.purge(signal),
    returned: (_payload, signal) => product.privacy.maskReturned(signal),
    retention: (_payload, signal) => product.retention.run(signal),
    ...lookHandlers({ ...reconcileDeps(product, receiver), storage, engines, accounts: product.accounts, log }),
  };
}

async function handle(
  handlers: Readonly<Record<string, Handler>>,
  { name, payload }: { readonly name: string; readonly payload: unknown },
  signal: AbortSignal,
): Promise<void> {
  const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  if (!handler) throw new Error(`no upkeep is called ${name}`);
  await handler(payload, signal);
}
