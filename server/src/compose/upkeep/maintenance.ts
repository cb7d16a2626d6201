/**
 * The queue `maintenance`: background work of the platform by name. One table of what there is; a job's payload carries
 * ids, and what it does may be done twice.
 */
import { parseId, providers } from '@switchyard/contract';
import { z } from 'zod';
import { type Receiver, reconcile, reconcileLimits, type Span } from '#inbox';
import type { Log } from '#kernel';
import type { Engines } from '#storage';
import { channels } from '../channels.ts';
import type { Product } from '../rooms.ts';
import { reconcileDeps } from './reconciling.ts';

const maintenanceTimes = {
  purgeMs: 60_000,
  returnedMs: 3_600_000,
  retentionMs: 6 * 3_600_000,
  retryMs: 30_000,
} as const;

const spanSchema = z.object({ from: z.iso.datetime(), until: z.iso.datetime() });
const reconcileSchema = spanSchema.extend({
  workspaceId: z.string(),
  accountId: z.string(),
  reason: z.enum(['asked', 'downtime', 'hourly']),
});
const everyAccountSchema = spanSchema.extend({ reason: z.enum(['downtime', 'hourly']) });

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
  const { purgeMs, returnedMs, retentionMs } = maintenanceTimes;
  return { purge: purgeMs, returned: returnedMs, retention: retentionMs, ...Object.fromEntries(watching) };
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
  const watching = Object.entries(monitoring.jobs).map(
    ([name, job]) => [name, async () => (config.isLedgerOn ? job.run() : undefined)] as const,
  );
  return {
    ...Object.fromEntries(watching),
    purge: (_payload, signal) => product.privacy.purge(signal),
    returned: (_payload, signal) => product.privacy.maskReturned(signal),
    retention: (_payload, signal) => product.retention.run(signal),
    reconcile: (payload, signal) => reconcileOne(product, receiver, reconcileSchema.parse(payload), signal),
    'reconcile-all': (payload) => spreadOverAccounts(product, everyAccountSchema.parse(payload)),
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

async function reconcileOne(
  product: Product,
  receiver: Receiver,
  payload: z.infer<typeof reconcileSchema>,
  signal: AbortSignal,
): Promise<void> {
  const workspaceId = parseId('workspace', payload.workspaceId);
  const accountId = parseId('account', payload.accountId);
  const account = workspaceId && accountId ? await product.accounts.findServing(workspaceId, accountId) : null;
  if (!account || account.isDeleted) return;
  // Who asks is told that this provider tells nobody later; what comes by itself has no reader.
  if (payload.reason !== 'asked' && !channels[account.provider].listMessages) return;
  const span = { from: new Date(payload.from), until: new Date(payload.until) };
  await reconcile(reconcileDeps(product, receiver), { account, span, reason: payload.reason, signal });
}

/** Every account whose provider can be asked, for this span. */
export function askForLost({ jobs }: Pick<Engines, 'jobs'>, { from, until }: Span): Promise<void> {
  const payload = { reason: 'downtime', from: from.toISOString(), until: until.toISOString() };
  return jobs.enqueue('maintenance', { name: 'reconcile-all', id: `gap-${until.getTime()}`, payload });
}

/** The last hours, once an hour however many processes ask. */
export function askForRecent({ jobs }: Pick<Engines, 'jobs'>, now: Date): Promise<void> {
  const from = new Date(now.getTime() - reconcileLimits.hourlyMs);
  const payload = { reason: 'hourly', from: from.toISOString(), until: now.toISOString() };
  const hour = Math.floor(now.getTime() / 3_600_000);
  return jobs.enqueue('maintenance', { name: 'reconcile-all', id: `hour-${hour}`, payload });
}

/** A job for each account whose provider can be asked: one that fails holds up no other. */
async function spreadOverAccounts(
  product: Product,
  { reason, from, until }: z.infer<typeof everyAccountSchema>,
): Promise<void> {
  for (const { workspaceId, accountId } of await findAskable(product)) {
    const payload = { workspaceId, accountId, reason, from, until };
    await product.foundation.engines.jobs.enqueue('maintenance', {
      name: 'reconcile',
      id: `account-${accountId}`,
      payload,
    });
  }
}

function findAskable({ accounts }: Product): ReturnType<Product['accounts']['listActive']> {
  const askable = providers.filter((provider) => channels[provider].listMessages !== undefined);
  return accounts.listActive(askable);
}
