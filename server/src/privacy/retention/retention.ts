import type { WorkspaceId } from '@switchyard/contract';
import type { Clock, Log } from '#kernel';
import { type DroppedDays, firstIdOf, type Storage } from '#storage';
import type { Workspaces } from '#workspaces';
import { readMark, writeMark } from '../body-store.ts';
import { firstKeptDay, keyDays, longestOf, type RetentionPolicy, readPolicy, retentionLimits } from './policy.ts';
import {
  countDoomed,
  type Doomed,
  deleteAttempts,
  deleteErasedCounts,
  deleteOldReports,
  emptyBodies,
  findPolicies,
  type KeyPlace,
  loadPolicy,
  readNow,
  savePolicy,
  sweepKeys,
} from './retention-store.ts';

export interface RetentionDeps {
  readonly storage: Storage;
  readonly workspaces: Pick<Workspaces, 'audit'>;
  readonly clock: Clock;
  /** Asked of the database unless given. */
  readonly databaseNow?: () => Promise<Date>;
  readonly log: Log;
  /** Whole days, as the owner of the tables: of deliveries before the one, of tries before the other. */
  readonly dropDays: (deliveriesBefore: Date, attemptsBefore: Date) => Promise<DroppedDays>;
}

/** What one run did, in all workspaces. */
export interface RetentionRun {
  readonly droppedDays: number;
  /** Days that were kept since something of them still waits to be read. */
  readonly keptDays: number;
  readonly emptiedBodies: number;
  readonly deletedAttempts: number;
  readonly deletedKeys: number;
}

export interface RetentionPlan {
  readonly policy: RetentionPolicy;
  readonly deliveriesBefore: Date;
  readonly attemptsBefore: Date;
  /** What the next run would take under this policy. */
  readonly doomed: Doomed;
}

export interface Retention {
  /** The policy as it is, or as it would be, with what would go. Changes nothing. */
  plan(workspaceId: WorkspaceId, proposed?: Partial<RetentionPolicy>): Promise<RetentionPlan>;
  set(workspaceId: WorkspaceId, policy: Partial<RetentionPolicy>, actor: string): Promise<RetentionPlan>;
  run(signal: AbortSignal): Promise<RetentionRun>;
  /** Since when no day of deliveries was dropped, whatever the policies say now; null: no run has been yet. */
  keptSince(): Promise<Date | null>;
}

/** In it the first moment that is kept. */
const droppedMark = 'deliveries dropped before';

const reportDays = 90;

export function createRetention(deps: RetentionDeps): Retention {
  const { storage } = deps;
  return {
    plan: async (workspaceId, proposed = {}) => {
      const now = await earlierNow(deps);
      return storage.inWorkspace(workspaceId, async (tx) => {
        const policy = { ...readPolicy(await loadPolicy(tx)), ...proposed };
        return planOf(policy, now, (bounds) => countDoomed(tx, bounds));
      });
    },
    set: async (workspaceId, change, actor) => {
      const now = await earlierNow(deps);
      return storage.inWorkspace(workspaceId, async (tx) => {
        const policy = { ...readPolicy(await loadPolicy(tx)), ...change };
        await savePolicy(tx, policy);
        await deps.workspaces.audit(tx, { actor, action: 'change', resource: 'retention', fields: { ...policy } });
        return planOf(policy, now, (bounds) => countDoomed(tx, bounds));
      });
    },
    run: (signal) => runOnce(deps, signal),
    keptSince: () => keptSince(storage),
  };
}

async function keptSince(storage: Storage): Promise<Date | null> {
  const mark = await readMark(storage, droppedMark);
  return mark === null ? null : new Date(mark);
}

/** Before they go, and never back: a policy that was made longer brings no day back. */
async function markDropped(storage: Storage, before: Date): Promise<void> {
  const known = await keptSince(storage);
  if (known === null || known < before) await writeMark(storage, droppedMark, before.toISOString());
}

async function planOf(
  policy: RetentionPolicy,
  now: Date,
  count: (bounds: { readonly deliveries: string; readonly attempts: string }) => Promise<Doomed>,
): Promise<RetentionPlan> {
  const deliveriesBefore = firstKeptDay(now, policy.deliveryDays);
  const attemptsBefore = firstKeptDay(now, policy.attemptDays);
  const doomed = await count({ deliveries: boundOf(deliveriesBefore), attempts: boundOf(attemptsBefore) });
  return { policy, deliveriesBefore, attemptsBefore, doomed };
}

function boundOf(day: Date): string {
  return firstIdOf(day.getTime());
}

async function runOnce(deps: RetentionDeps, signal: AbortSignal): Promise<RetentionRun> {
  const now = await earlierNow(deps);
  const policies = (await findPolicies(deps.storage)).map(({ workspaceId, stored }) => ({
    workspaceId,
    policy: readPolicy(stored),
  }));
  const longest = longestOf(policies.map(({ policy }) => policy));
  const deliveriesBefore = firstKeptDay(now, longest.deliveryDays);
  await markDropped(deps.storage, deliveriesBefore);
  const days = await deps.dropDays(deliveriesBefore, firstKeptDay(now, longest.attemptDays));
  let run: RetentionRun = {
    ...{ droppedDays: days.dropped.length, keptDays: days.keptDays.length },
    ...{ emptiedBodies: 0, deletedAttempts: 0, deletedKeys: 0 },
  };
  for (const { workspaceId, policy } of policies) {
    if (signal.aborted) break;
    const found = await runIn(deps, { workspaceId, policy, longest, now, signal });
    run = { ...run, ...sumOf(run, found) };
  }
  deps.log.info({ ...run }, 'retention');
  return run;
}

/** What is dropped is gone: only what is old by the database's clock and by this process's, of which one may have leapt. */
async function earlierNow({ storage, clock, databaseNow, log }: RetentionDeps): Promise<Date> {
  const [theirs, ours] = [await (databaseNow?.() ?? readNow(storage)), clock.now()];
  const aheadMs = ours.getTime() - theirs.getTime();
  if (Math.abs(aheadMs) > retentionLimits.clocksApartMs)
    log.error({ ours, theirs }, 'the clocks of this process and of the database are far apart');
  return aheadMs > 0 ? theirs : ours;
}

type Found = Pick<RetentionRun, 'emptiedBodies' | 'deletedAttempts' | 'deletedKeys'>;

function sumOf(one: Found, other: Found): Found {
  return {
    emptiedBodies: one.emptiedBodies + other.emptiedBodies,
    deletedAttempts: one.deletedAttempts + other.deletedAttempts,
    deletedKeys: one.deletedKeys + other.deletedKeys,
  };
}

interface Here {
  readonly workspaceId: WorkspaceId;
  readonly policy: RetentionPolicy;
  readonly longest: RetentionPolicy;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** A workspace that keeps as long as any other has nothing emptied: its days are dropped. */
async function runIn({ storage }: RetentionDeps, here: Here): Promise<Found> {
  const { workspaceId, policy, longest, now, signal } = here;
  const { rowsPerSlice } = retentionLimits;
  const deliveries = boundOf(firstKeptDay(now, policy.deliveryDays));
  const attempts = boundOf(firstKeptDay(now, policy.attemptDays));
  const emptiedBodies =
    policy.deliveryDays < longest.deliveryDays
      ? await inSlices(signal, () => emptyBodies(storage, workspaceId, deliveries, rowsPerSlice))
      : 0;
  const deletedAttempts =
    policy.attemptDays < longest.attemptDays
      ? await inSlices(signal, () => deleteAttempts(storage, workspaceId, attempts, rowsPerSlice))
      : 0;
  const counted = boundOf(firstKeptDay(now, Math.max(reportDays, longest.deliveryDays)));
  await storage.inWorkspace(workspaceId, async (tx) => {
    await deleteOldReports(tx, reportDays);
    await deleteErasedCounts(tx, counted);
  });
  return { emptiedBodies, deletedAttempts, deletedKeys: await sweepAllKeys(storage, here) };
}

async function inSlices(signal: AbortSignal, slice: () => Promise<number>): Promise<number> {
  let sum = 0;
  for (let slices = 0; slices < retentionLimits.slicesPerRun && !signal.aborted; slices += 1) {
    const count = await slice();
    sum += count;
    if (count < retentionLimits.rowsPerSlice) break;
  }
  return sum;
}

/** Where a run's slices end before the keys do, the next run goes on there. */
async function sweepAllKeys(storage: Storage, { workspaceId, policy, signal }: Here): Promise<number> {
  const { keysPerSlice: limit, slicesPerRun } = retentionLimits;
  const mark = `keys ${workspaceId}`;
  let after = parsePlace(await readMark(storage, mark));
  let removed = 0;
  for (let slices = 0; slices < slicesPerRun && !signal.aborted; slices += 1) {
    const slice = await storage.inWorkspace(workspaceId, (tx) =>
      sweepKeys(tx, { after, olderThanDays: keyDays(policy), limit }),
    );
    removed += slice.removed;
    after = slice.last;
    if (after === null) break;
  }
  await writeMark(storage, mark, after ? `${after.accountId} ${after.keyHash}` : '');
  return removed;
}

function parsePlace(text: string | null): KeyPlace | null {
  const [accountId, keyHash] = (text ?? '').split(' ');
  return accountId && keyHash ? { accountId: accountId as KeyPlace['accountId'], keyHash } : null;
}
