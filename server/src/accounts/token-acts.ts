import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { newId } from '#kernel';
import { hashToken, newToken, type WorkspaceTx } from '#storage';
import { tokenPlace } from './account-secrets.ts';
import { type AccountRow, listAccounts } from './account-store.ts';
import type { Accounts, TokenListing } from './accounts.ts';
import { type ChangeAccount, type Changing, loadAccount } from './changing.ts';
import { Refusal, routeTaken } from './failures.ts';
import { type AccountsDeps, present, urlOfToken } from './parts.ts';
import { webhookUrl } from './presentation.ts';
import { insertToken, listTokenRows, listWorkspaceIds, retireTokens } from './route-store.ts';

/** A rotated token still works as long as a provider may repeat a delivery: Meta does for 7 days. */
export const tokenOverlapMs = 8 * 24 * 60 * 60 * 1000;

export function createTokenActs(
  deps: AccountsDeps,
  change: ChangeAccount,
): Pick<Accounts, 'rotateToken' | 'listTokens'> {
  const { storage } = deps;
  return {
    rotateToken: (workspaceId, accountId) =>
      change(workspaceId, async (changing) => {
        const row = await loadAccount(changing.tx, accountId);
        const retiresAt = new Date(deps.clock.now().getTime() + tokenOverlapMs);
        await retire(changing, accountId, retiresAt);
        return { accountId, value: await giveToken(deps, changing, row, newToken()) };
      }),

    async listTokens(workspaceId) {
      const ids: readonly WorkspaceId[] = workspaceId ? [workspaceId] : await storage.asWorker(listWorkspaceIds);
      const lists: TokenListing[][] = [];
      for (const id of ids) lists.push(await storage.inWorkspace(id, (tx) => listTokensOf(deps, tx)));
      return lists.flat();
    },
  };
}

export async function giveToken(
  deps: AccountsDeps,
  { tx, routes }: Changing,
  row: AccountRow,
  token: string,
): Promise<{ readonly token: string; readonly webhookUrl: string }> {
  const id = newId('account');
  const hash = hashToken(token);
  const isNew = await insertToken(
    tx,
    { accountId: row.id, provider: row.provider },
    { id, hash, sealed: deps.sealer.seal(token, tokenPlace(id)) },
  );
  if (!isNew) throw new Refusal(routeTaken('webhook token'));
  routes.push({ kind: 'token', key: hash });
  return { token, webhookUrl: webhookUrl(deps.publicUrl, row, token) };
}

/** Tokens without an end get one. */
export async function retire({ tx, routes }: Changing, accountId: AccountId, retiresAt: Date): Promise<void> {
  for (const key of await retireTokens(tx, accountId, retiresAt)) routes.push({ kind: 'token', key });
}

async function listTokensOf(deps: AccountsDeps, tx: WorkspaceTx): Promise<TokenListing[]> {
  const accounts = new Map((await listAccounts(tx)).map((row) => [row.id, row]));
  return (await listTokenRows(tx)).flatMap((token) => {
    const row = accounts.get(token.accountId);
    if (!row) return [];
    const { workspaceName, tokenId, createdAt, retiresAt, lastUsedAt } = token;
    const url = urlOfToken(deps, row, token);
    return [{ workspaceName, account: present(deps, row), tokenId, webhookUrl: url, createdAt, retiresAt, lastUsedAt }];
  });
}
