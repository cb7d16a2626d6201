/** Removing an account, which keeps its rows, and restoring it, for which it takes again what it is routed by. */
import type { AccountId } from '@switchyard/contract';
import { newToken } from '#storage';
import type { Accounts } from '../accounts.ts';
import { type ChangeAccount, type Changing, loadAccount } from '../changing.ts';
import { applyConnection, type ConnectionDeps } from '../connection/apply-connection.ts';
import { accountMissing, failureOf, Refusal } from '../failures.ts';
import { type AccountsDeps, present, secretsOf } from '../parts.ts';
import { claimRoutes, dropRoutes } from '../routing/claims.ts';
import { giveToken, retire } from '../tokens/token-acts.ts';
import { refuseTakenPhone } from './account-acts.ts';
import { findAccount, markRemoved, markRestored, promoteNext } from './account-store.ts';

export function createRemoval(
  deps: AccountsDeps & ConnectionDeps,
  change: ChangeAccount,
): Pick<Accounts, 'remove' | 'restore'> {
  return {
    remove: (workspaceId, accountId) =>
      change(workspaceId, async (changing) => {
        const { tx } = changing;
        const { channel } = await loadAccount(tx, accountId);
        await applyConnection(deps, tx, accountId, {
          kind: 'report',
          status: 'disconnected',
          actor: 'removal',
          reason: 'removed',
        });
        await retire(changing, accountId, deps.clock.now());
        await dropRoutes(changing, accountId, () => true);
        await markRemoved(tx, accountId);
        await promoteNext(tx, channel);
        return { accountId, value: undefined };
      }),

    restore: (workspaceId, accountId) =>
      change(workspaceId, async (changing) => {
        await restoreOne(deps, changing, accountId);
        const row = await loadAccount(changing.tx, accountId);
        const given = await giveToken(deps, changing, row, newToken());
        return { accountId, value: { account: present(deps, row), ...given } };
      }),
  };
}

async function restoreOne(deps: AccountsDeps, changing: Changing, accountId: AccountId): Promise<void> {
  const { tx } = changing;
  const removed = await findAccount(tx, accountId);
  if (!removed) throw new Refusal(accountMissing);
  if (!removed.isDeleted) throw new Refusal(notRemoved);
  await refuseTakenPhone(tx, removed);
  await markRestored(tx, accountId);
  const { fields } = deps.channels[removed.provider];
  await claimRoutes(changing, removed, { fields, secrets: secretsOf(deps, removed) });
  await promoteNext(tx, removed.channel);
}

const notRemoved = {
  ...failureOf('not_removed', 'The account is not removed: there is nothing to restore.'),
  state: 'present',
};
