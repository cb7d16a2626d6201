import type { Accounts } from '../accounts.ts';
import { type ChangeAccount, loadAccount } from '../changing.ts';
import { Refusal } from '../failures.ts';
import { type AccountsDeps, present } from '../parts.ts';
import { applyConnection, type ConnectionDeps } from './apply-connection.ts';
import { listConnectionChanges } from './connection-store.ts';

export function createConnectionActs(
  deps: AccountsDeps & ConnectionDeps,
  change: ChangeAccount,
): Pick<Accounts, 'moveConnection' | 'applyConnection' | 'listConnectionChanges'> {
  return {
    moveConnection: (workspaceId, accountId, { act, actor, reason }) =>
      change(workspaceId, async ({ tx }) => {
        const moved = await applyConnection(deps, tx, accountId, { kind: 'act', act, actor, reason: reason ?? null });
        if (!moved.ok) throw new Refusal(moved.refusal);
        return { accountId, value: present(deps, await loadAccount(tx, accountId)) };
      }),

    applyConnection: (tx, accountId, event) => applyConnection(deps, tx, accountId, event),

    listConnectionChanges: (workspaceId, accountId, limit) =>
      deps.storage.inWorkspace(workspaceId, (tx) => listConnectionChanges(tx, accountId, limit)),
  };
}
