import type { Accounts, ServingAccount } from './accounts.ts';
import { applyAccountEvent } from './apply-event.ts';
import { alongside, type ChangeAccount, createChange } from './changing.ts';
import { createConnectionActs } from './connection/connection-acts.ts';
import { createNotes } from './notes.ts';
import { type AccountsDeps, defaultMaxConnectedAccounts, secretsOf, urlOfToken } from './parts.ts';
import { createAccountActs } from './record/account-acts.ts';
import { findAccount, listAccounts } from './record/account-store.ts';
import { servingAccount } from './record/presentation.ts';
import { createRemoval } from './record/removal.ts';
import { listActivePlaces, type Place } from './routing/route-store.ts';
import { createRouting } from './routing/routing.ts';
import { createTokenActs } from './tokens/token-acts.ts';
import { findNewestToken } from './tokens/token-store.ts';
import { createWebhookActs, takeWebhooks } from './webhooks/webhook-acts.ts';
import { takeRefusals } from './webhooks/webhook-refusals.ts';

export function createAccounts(deps: AccountsDeps): Accounts {
  const connection = { ...deps, maxConnectedAccounts: deps.maxConnectedAccounts ?? defaultMaxConnectedAccounts };
  const { counters } = deps.engines;
  const notes = createNotes({
    ...deps,
    takeWebhooks: (tx, ids, times) => takeWebhooks(connection, tx, ids, times),
    takeRefusals: (workspaceId, refusals) => takeRefusals({ ...deps, counters }, workspaceId, refusals),
  });
  const routing = createRouting({ ...deps, noteToken: notes.noteToken }, (place) => loadServing(deps, place));
  const change = createChange(deps, routing);
  const actsBy = (by: ChangeAccount) => ({
    ...createAccountActs(connection, by),
    ...createRemoval(connection, by),
    ...createConnectionActs(connection, by),
    ...createTokenActs(deps, by),
    ...createWebhookActs(deps, by),
  });
  return {
    peekRoute: (kind, key) => routing.peek(kind, key),
    route: routing.route,
    lookUp: routing.lookUp,
    countRouting: notes.countRouting,
    findServing: routing.find,
    listActive: (providers) => listActivePlaces(deps.storage, providers),
    ...actsBy(change),
    alongside: (also) => actsBy(alongside(change, also)),
    async applyEvent(tx, accountId, event) {
      await applyAccountEvent(connection, tx, accountId, event);
      deps.noteChange(tx, 'account', [accountId]);
    },
    noteRefusal: ({ workspaceId, accountId }, by, reason) =>
      notes.noteRefusal(workspaceId, accountId, {
        byToken: by === 'token' ? 1 : 0,
        byName: by === 'name' ? 1 : 0,
        reason,
      }),
    noteWebhook: (account, at) => notes.noteWebhook(account.workspaceId, account.accountId, at),
    async forgetWorkspace(workspaceId) {
      const rows = await deps.storage.inWorkspace(workspaceId, (tx) => listAccounts(tx));
      for (const { id } of rows) await routing.forgetAccount(workspaceId, id);
    },
    flush: () => notes.flush(),
    close: () => notes.close(),
  };
}

function loadServing(deps: AccountsDeps, { workspaceId, accountId }: Place): Promise<ServingAccount | null> {
  return deps.storage.inWorkspace(workspaceId, async (tx) => {
    const [row, token] = await Promise.all([findAccount(tx, accountId), findNewestToken(tx, accountId)]);
    if (!row) return null;
    const open = { secrets: secretsOf(deps, row), webhookUrl: token && urlOfToken(deps, row, token) };
    return servingAccount(row, open, deps.channels[row.provider].fields);
  });
}
