import { type AccountId, isPaired, type Provider } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { Accounts } from '../accounts.ts';
import { type ChangeAccount, loadAccount } from '../changing.ts';
import { type ConnectionDeps, takeReport } from '../connection/apply-connection.ts';
import { type AccountsDeps, present } from '../parts.ts';
import { lockAccounts } from '../record/account-store.ts';
import { keepSubscription, noteWebhookError, noteWebhooks } from './webhook-store.ts';

/**
 * Authentic webhooks came: the account's webhooks are active. Where no phone is paired, that is also what shows that an
 * account is connected: one that is connecting, or that nobody has connected or disconnected yet.
 */
export async function takeWebhooks(
  deps: ConnectionDeps,
  tx: WorkspaceTx,
  accountIds: readonly AccountId[],
  times: readonly Date[],
): Promise<void> {
  // Before the accounts' rows, as every change does: two that lock in two orders would wait for each other for ever.
  await lockAccounts(tx);
  for (const noted of await noteWebhooks(tx, accountIds, times)) {
    const { accountId, connectionStatus: status, connectionChangedAt } = noted;
    if (!noted.wasActive) deps.noteChange(tx, 'account', [accountId]);
    if (isPaired(noted.provider as Provider)) continue;
    const isAwaited = status === 'connecting' || (status === 'disconnected' && connectionChangedAt === null);
    if (isAwaited) await takeReport(deps, tx, accountId, { kind: 'report', status: 'connected', actor: 'webhook' });
  }
}

export function createWebhookActs(deps: AccountsDeps, change: ChangeAccount): Pick<Accounts, 'noteSubscription'> {
  return {
    noteSubscription: (workspaceId, accountId, { events, error }) =>
      change(workspaceId, async ({ tx }) => {
        await loadAccount(tx, accountId);
        await keepSubscription(tx, accountId, events, deps.clock.now());
        if (error !== undefined) await noteWebhookError(tx, accountId, error);
        return { accountId, value: present(deps, await loadAccount(tx, accountId)) };
      }),
  };
}
