/**
 * Looks at what providers keep, as jobs. What is owed stands in Postgres until it has been had (`owed_looks`): a job only
 * says where to look, so none that is flushed, swallowed or refused takes a span with it.
 */
import { type AccountId, parseId, providers, type WorkspaceId } from '@switchyard/contract';
import { z } from 'zod';
import type { Accounts, ServingAccount } from '#accounts';
import {
  findDueLooks,
  findOwedLook,
  holdLook,
  isToBeDivided,
  nextPartMs,
  type OwedLook,
  payLook,
  type ReconcileDeps,
  reconcile,
  reconcileLimits,
  type Span,
} from '#inbox';
import type { Log } from '#kernel';
import type { Engines, Storage } from '#storage';
import { channels } from '../channels.ts';

export interface LookDeps extends ReconcileDeps {
  readonly storage: Storage;
  readonly engines: Pick<Engines, 'jobs'>;
  readonly accounts: Pick<Accounts, 'findServing' | 'listActive'>;
  readonly log: Log;
}

/** Those that keep a list of what they carried. */
export const askable = providers.filter((provider) => channels[provider].listMessages !== undefined);

const placeSchema = z.object({ workspaceId: z.string(), accountId: z.string() });
const spanSchema = z.object({ from: z.iso.datetime(), until: z.iso.datetime() });
const reconcileSchema = placeSchema
  .extend(spanSchema.shape)
  .extend({ reason: z.enum(['asked', 'downtime', 'hourly']) });
/** `partMs`: how long a part it may be; absent at the first look. Only a hint: without it the look takes longer. */
const owedSchema = placeSchema.extend({ partMs: z.number().positive().optional() });
const everyAccountSchema = spanSchema.extend({ reason: z.enum(['downtime', 'hourly']) });

type LookHandler = (payload: unknown, signal: AbortSignal) => Promise<unknown>;

/** For the queue `maintenance`, by name. */
export function lookHandlers(deps: LookDeps): Readonly<Record<string, LookHandler>> {
  return {
    reconcile: (payload, signal) => lookOnce(deps, reconcileSchema.parse(payload), signal),
    'reconcile-all': (payload) => spreadOverAccounts(deps, everyAccountSchema.parse(payload)),
    'reconcile-owed': (payload, signal) => lookAtOwed(deps, owedSchema.parse(payload), signal),
    'owed-looks': () => spreadOwed(deps),
  };
}

/** The round of what is owed, at once: after a gap, and for an account that is back. */
export function askForOwed({ jobs }: Pick<Engines, 'jobs'>): Promise<void> {
  return jobs.enqueue('maintenance', { name: 'owed-looks', id: 'owed-looks', payload: null });
}

/** The last hours, once an hour however many processes ask. */
export function askForRecent({ jobs }: Pick<Engines, 'jobs'>, now: Date): Promise<void> {
  const from = new Date(now.getTime() - reconcileLimits.hourlyMs);
  const payload = { reason: 'hourly', from: from.toISOString(), until: now.toISOString() };
  const hour = Math.floor(now.getTime() / 3_600_000);
  return jobs.enqueue('maintenance', { name: 'reconcile-all', id: `hour-${hour}`, payload });
}

async function lookOnce(
  deps: LookDeps,
  { reason, from, until, ...place }: z.infer<typeof reconcileSchema>,
  signal: AbortSignal,
): Promise<void> {
  const account = await findAccount(deps, place);
  if (!account) return;
  // Who asks is told that this provider tells nobody later; what comes by itself has no reader.
  if (reason !== 'asked' && !deps.channels[account.provider].listMessages) return;
  // An hourly look that had to wait looks up to now: the one after it may have been taken for the same.
  const span = { from: new Date(from), until: reason === 'hourly' ? deps.clock.now() : new Date(until) };
  await reconcile(deps, { account, span, reason, signal });
}

/** A job for each account whose provider can be asked: one that fails holds up no other. */
async function spreadOverAccounts(
  { accounts, engines }: LookDeps,
  { reason, from, until }: z.infer<typeof everyAccountSchema>,
): Promise<void> {
  // One hourly look waits at most, however long the queue is; any other span is a job of its own.
  const idOf = (accountId: AccountId) =>
    reason === 'hourly' ? `hourly-${accountId}` : `${reason}-${accountId}-${Date.parse(until)}`;
  for (const { workspaceId, accountId } of await accounts.listActive(askable)) {
    const payload = { workspaceId, accountId, reason, from, until };
    await engines.jobs.enqueue('maintenance', { name: 'reconcile', id: idOf(accountId), payload });
  }
}

async function spreadOwed({ storage, engines }: LookDeps): Promise<void> {
  for (const { workspaceId, accountId } of await findDueLooks(storage, reconcileLimits.owedAtOnce)) {
    const payload = { workspaceId, accountId };
    await engines.jobs.enqueue('maintenance', { name: 'reconcile-owed', id: `owed-${accountId}`, payload });
  }
}

/**
 * The span is read here, not carried: what was widened while the job waited is looked at too, and what was had is not. A part
 * that holds too much is asked for in shorter ones; after so many looks a job of its own goes on, behind what else waits.
 */
async function lookAtOwed(
  deps: LookDeps,
  { partMs = reconcileLimits.owedPartMs, ...place }: z.infer<typeof owedSchema>,
  signal: AbortSignal,
): Promise<void> {
  const ids = idsOf(place);
  if (!ids) return;
  let longestMs = partMs;
  for (let looks = 0; !signal.aborted; looks += 1) {
    const owed = await deps.storage.inWorkspace(ids.workspaceId, (tx) => findOwedLook(tx, ids.accountId));
    if (!owed) return;
    if (looks === reconcileLimits.looksPerJob) return goOnLater(deps, ids.workspaceId, owed, longestMs);
    const account = await findAccount(deps, place);
    const part = firstPart(owed, deps.clock.now(), longestMs);
    if (!account || !part || !deps.channels[account.provider].listMessages) return letGo(deps, ids.workspaceId, owed);
    const look = await reconcile(deps, { account, span: part, reason: 'downtime', signal });
    longestMs = nextPartMs(longestMs, part, look);
    if (isToBeDivided(part, look)) continue;
    if (!look.isThrough) return sayRefused(deps, owed, look.detail);
    // From before the part too: what is too old cannot be asked for by anybody.
    const had = { from: owed.from, until: part.until };
    await deps.storage.inWorkspace(ids.workspaceId, (tx) => payLook(tx, ids.accountId, had));
  }
}

/** Where this job is lost, the round finds the account again. */
async function goOnLater(deps: LookDeps, workspaceId: WorkspaceId, owed: OwedLook, partMs: number): Promise<void> {
  const { accountId } = owed;
  await deps.storage.inWorkspace(workspaceId, (tx) => holdLook(tx, accountId, reconcileLimits.goOnMs));
  // Not the id of the job that runs, which would swallow it: since that began the span has moved or the part is shorter.
  const id = `owed-${accountId}-${owed.from.getTime()}-${partMs}`;
  const payload = { workspaceId, accountId, partMs };
  await deps.engines.jobs.enqueue('maintenance', { name: 'reconcile-owed', id, payload });
}

/** What is asked for at once; null: all of it is older than what may be asked for. */
function firstPart({ from, until }: Span, now: Date, longestMs: number): Span | null {
  const earliestMs = now.getTime() - reconcileLimits.maxSpanDays * 86_400_000;
  const fromMs = Math.max(from.getTime(), earliestMs);
  if (fromMs >= until.getTime()) return null;
  return { from: new Date(fromMs), until: new Date(Math.min(fromMs + longestMs, until.getTime())) };
}

function sayRefused({ log }: LookDeps, { accountId, tries }: OwedLook, detail: string | null): void {
  log.warn({ accountId, tries: tries + 1, detail }, 'a provider did not tell what was lost');
}

/** The account is gone, its provider keeps no list, or the whole span is older than what may be asked for. */
async function letGo({ storage, log }: LookDeps, workspaceId: WorkspaceId, owed: OwedLook): Promise<void> {
  if (owed.tries > 0) log.warn({ ...owed }, 'what may have been lost here can no longer be asked for');
  await storage.inWorkspace(workspaceId, (tx) => payLook(tx, owed.accountId, owed));
}

async function findAccount({ accounts }: LookDeps, place: z.infer<typeof placeSchema>): Promise<ServingAccount | null> {
  const ids = idsOf(place);
  const account = ids && (await accounts.findServing(ids.workspaceId, ids.accountId));
  return account && !account.isDeleted ? account : null;
}

function idsOf(place: z.infer<typeof placeSchema>) {
  const workspaceId = parseId('workspace', place.workspaceId);
  const accountId = parseId('account', place.accountId);
  return workspaceId && accountId ? { workspaceId, accountId } : null;
}
