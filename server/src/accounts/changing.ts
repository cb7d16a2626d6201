import type { AccountId, Failure, WorkspaceId } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { NoteChange, Storage, WorkspaceTx } from '#storage';
import type { Alongside, RouteKind } from './accounts.ts';
import { accountMissing, Refusal } from './failures.ts';
import { type AccountRow, findAccount, lockAccounts } from './record/account-store.ts';
import type { Routing } from './routing/routing.ts';

export interface Route {
  readonly kind: RouteKind;
  /** As it stands in the table: the hash of a token, not its text. */
  readonly key: string;
}

/** One change of an account: its transaction, and where it says which routes it took or gave back. */
export interface Changing {
  readonly tx: WorkspaceTx;
  readonly routes: Route[];
}

export interface Changed<Value> {
  readonly accountId: AccountId;
  readonly value: Value;
}

/**
 * In one transaction, under the lock of the workspace's accounts; then the caches hear of what changed. A `Refusal` that
 * is thrown inside rolls it back and is what comes out.
 */
export type ChangeAccount = <Value>(
  workspaceId: WorkspaceId,
  work: (changing: Changing) => Promise<Changed<Value>>,
) => Promise<Result<Value, Failure>>;

export function createChange(
  deps: { readonly storage: Storage; readonly noteChange: NoteChange },
  routing: Pick<Routing, 'forgetAccount' | 'forgetRoute'>,
): ChangeAccount {
  return async (workspaceId, work) => {
    const routes: Route[] = [];
    try {
      const { accountId, value } = await deps.storage.inWorkspace(workspaceId, async (tx) => {
        await lockAccounts(tx);
        const outcome = await work({ tx, routes });
        deps.noteChange(tx, 'account', [outcome.accountId]);
        return outcome;
      });
      for (const { kind, key } of routes) await routing.forgetRoute(kind, key);
      await routing.forgetAccount(workspaceId, accountId);
      return done(value);
    } catch (error) {
      if (error instanceof Refusal) return refused(error.failure);
      throw error;
    }
  };
}

/** The same, with `also` last in its transaction. A refused change runs none of it. */
export function alongside(change: ChangeAccount, also: Alongside): ChangeAccount {
  return (workspaceId, work) =>
    change(workspaceId, async (changing) => {
      const outcome = await work(changing);
      await also(changing.tx, outcome.accountId);
      return outcome;
    });
}

/** Throws a `Refusal` for one that is not there or was removed. */
export async function loadAccount(tx: WorkspaceTx, accountId: AccountId): Promise<AccountRow> {
  const row = await findAccount(tx, accountId);
  if (!row || row.isDeleted) throw new Refusal(accountMissing);
  return row;
}
