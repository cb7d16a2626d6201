import type { AccountId, Failure, WorkspaceId } from '@switchyard/contract';
import { type Clock, done, newId, type Result, refused } from '#kernel';
import type { NoteChange, WorkspaceTx } from '#storage';
import { accountMissing, failureOf } from '../failures.ts';
import { lockAccounts } from '../record/account-store.ts';
import { type ConnectionStatus, type ConnectionWish, planConnection } from './connection.ts';
import {
  type ConnectionRow,
  countConnected,
  findConnection,
  findLastLeft,
  insertConnectionChange,
  keepConnection,
  keepConnectionError,
  loadAccountLimit,
} from './connection-store.ts';

/** Something that moves an account's connection: a person's act, or what the provider or its companion reports. */
export type ConnectionEvent = ConnectionWish & {
  /** Who says so, for the history: `person per_…`, `provider`, `companion`. */
  readonly actor: string;
  readonly reason?: string | null;
  /** What is to be told besides, whatever the reason: it is put after it. */
  readonly remark?: string;
  /** By the reporter's own clock: a report older than the last one changes nothing. */
  readonly occurredAt?: Date | null;
};

export interface ConnectionChange {
  readonly previous: ConnectionStatus;
  readonly next: ConnectionStatus;
  readonly reason: string | null;
  readonly at: Date;
  /** The report was overtaken by a newer one: nothing was changed. */
  readonly isOvertaken: boolean;
}

/** An account was connected, was not for a while, and is again. */
export interface Absence {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
  readonly from: Date;
  readonly until: Date;
}

export interface ConnectionDeps {
  /** Upward need, filled by compose: runs in the move's transaction; what its provider could not bring meanwhile is owed. */
  readonly returned?: (tx: WorkspaceTx, absence: Absence) => Promise<void>;
  readonly clock: Clock;
  readonly noteChange: NoteChange;
  /** Upward need, filled by compose: runs in the move's transaction; what waited for the connection may go. */
  readonly comesBack?: (tx: WorkspaceTx, accountId: AccountId) => Promise<void>;
  /** Of a workspace whose settings name no other. */
  readonly maxConnectedAccounts: number;
}

/**
 * Moves an account's connection in the caller's transaction, writes the history, and tells browsers after the commit.
 *
 * Refuses with `account_not_found` (removed ones too), with `connection_forbids` and the state where the state forbids an
 * act, and with `account_limit` where the plan's connected accounts are used up: then nothing was changed but the reason.
 */
export async function applyConnection(
  deps: ConnectionDeps,
  tx: WorkspaceTx,
  accountId: AccountId,
  event: ConnectionEvent,
): Promise<Result<ConnectionChange, Failure>> {
  // Of two at once the second sees what the first made of it; and the plan's limit is counted under the same lock.
  await lockAccounts(tx);
  const found = await findConnection(tx, accountId);
  if (!found) return refused(accountMissing);
  const { status: previous, reportedAt } = found;
  const at = deps.clock.now();
  const occurredAt = event.kind === 'report' ? (event.occurredAt ?? null) : null;
  if (occurredAt && reportedAt && occurredAt < reportedAt) {
    return done({ previous, next: previous, reason: found.reason, at, isOvertaken: true });
  }
  const plan = planConnection(previous, event);
  if (plan.kind === 'forbidden') return refused(connectionForbids(plan.status));
  const next = plan.steps.at(-1) ?? previous;
  if (takesPlace(previous, next)) {
    const limit = (await loadAccountLimit(tx)) ?? deps.maxConnectedAccounts;
    if ((await countConnected(tx, accountId)) >= limit) return refused(accountLimit(limit));
  }
  const reason = reasonAfter(found, next, event);
  await writeHistory(tx, accountId, { from: previous, steps: plan.steps, reason, actor: event.actor, at });
  await keepConnection(tx, accountId, { status: next, reason, at, reportedAt: occurredAt, isMoved: next !== previous });
  if (next !== previous && places.includes(next)) await deps.comesBack?.(tx, accountId);
  deps.noteChange(tx, 'account', [accountId]);
  if (next === 'connected' && previous !== 'connected') await tellOfAbsence(deps, tx, accountId, at);
  return done({ previous, next, reason, at, isOvertaken: false });
}

/**
 * Why it is disconnected stays what was said first: a provider that reports the log-out which a person asked for does not
 * put its own word over theirs. Of an error the newest is told.
 */
function reasonAfter(before: ConnectionRow, next: ConnectionStatus, event: ConnectionEvent): string | null {
  const isOver = before.status === 'disconnected' && next === 'disconnected';
  const reason = isOver ? (before.reason ?? event.reason) : event.reason;
  return [reason, event.remark].filter(Boolean).join('; ') || null;
}

async function tellOfAbsence(deps: ConnectionDeps, tx: WorkspaceTx, accountId: AccountId, until: Date): Promise<void> {
  const { returned } = deps;
  if (!returned) return;
  const from = await findLastLeft(tx, accountId);
  if (from) await returned(tx, { workspaceId: tx.workspaceId, accountId, from, until });
}

/** For reports that nobody waits for: one that the plan leaves no room for is written beside the state it does not change. */
export async function takeReport(
  deps: ConnectionDeps,
  tx: WorkspaceTx,
  accountId: AccountId,
  report: Extract<ConnectionEvent, { kind: 'report' }>,
): Promise<void> {
  const applied = await applyConnection(deps, tx, accountId, report);
  if (!applied.ok) await keepConnectionError(tx, accountId, applied.refusal.detail);
}

async function writeHistory(
  tx: WorkspaceTx,
  accountId: AccountId,
  moves: {
    readonly from: ConnectionStatus;
    readonly steps: readonly ConnectionStatus[];
    readonly reason: string | null;
    readonly actor: string;
    readonly at: Date;
  },
): Promise<void> {
  const { steps, reason, actor, at } = moves;
  let previous = moves.from;
  for (const next of steps) {
    await insertConnectionChange(tx, { id: newId('event'), accountId, previous, next, reason, actor, at });
    previous = next;
  }
}

const places: readonly ConnectionStatus[] = ['connecting', 'connected'];

/** From outside the plan's connected accounts to inside. */
function takesPlace(previous: ConnectionStatus, next: ConnectionStatus): boolean {
  return places.includes(next) && !places.includes(previous);
}

function connectionForbids(status: ConnectionStatus): Failure {
  return { ...failureOf('connection_forbids', `The account is ${status}: that cannot be done now.`), state: status };
}

function accountLimit(limit: number): Failure {
  return failureOf('account_limit', `This workspace may have ${limit} connected accounts, and has them.`);
}
