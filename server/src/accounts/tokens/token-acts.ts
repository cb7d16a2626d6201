import type { AccountId, Failure, WorkspaceId } from '@switchyard/contract';
import { newId } from '#kernel';
import { hashToken, newToken, type WorkspaceTx } from '#storage';
import type { Accounts, ShownToken, TokenListing } from '../accounts.ts';
import { type ChangeAccount, type Changing, loadAccount } from '../changing.ts';
import { failureOf, Refusal, routeTaken } from '../failures.ts';
import { type AccountsDeps, present, urlOfToken } from '../parts.ts';
import { tokenPlace } from '../record/account-secrets.ts';
import { type AccountRow, listAccounts } from '../record/account-store.ts';
import { webhookUrl } from '../record/presentation.ts';
import { listWorkspaceIds } from '../routing/route-store.ts';
import {
  type HeldToken,
  insertToken,
  listHeldTokens,
  listTokenRows,
  retireTokens,
  setTokenEnd,
} from './token-store.ts';

/** A rotated token still works as long as a provider may repeat a delivery: Meta does for 7 days. */
export const tokenOverlapMs = 8 * 24 * 60 * 60 * 1000;
/** A replaced token that nobody has used for so long is called quiet. */
export const tokenQuietMs = 3 * 24 * 60 * 60 * 1000;

/** How many workspaces are read at the same time where all are listed: the console's connections are the same. */
const listingLanes = 3;

const rotationOpen: Failure = failureOf(
  'rotation_open',
  'A rotation is under way: two tokens are valid. Retire the old one, or undo the rotation, before the next.',
);
const tokenCurrent: Failure = failureOf('token_current', 'This token is the one in use; rotate before you retire it.');
const tokenMissing: Failure = failureOf('token_not_found', 'There is no such token.');
const nothingToUndo: Failure = failureOf('nothing_to_undo', 'No rotation of the last 8 days is left to undo.');

export function createTokenActs(
  deps: AccountsDeps,
  change: ChangeAccount,
): Pick<Accounts, 'rotateToken' | 'retireToken' | 'undoRotation' | 'listTokens'> {
  const { storage } = deps;
  return {
    rotateToken: (workspaceId, accountId) =>
      change(workspaceId, async (changing) => {
        const row = await loadAccount(changing.tx, accountId);
        await replaceCurrent(changing, accountId, deps.clock.now());
        return { accountId, value: await giveToken(deps, changing, row, newToken()) };
      }),

    retireToken: (workspaceId, accountId, tokenId) =>
      change(workspaceId, async (changing) => {
        await loadAccount(changing.tx, accountId);
        await retireOne(changing, accountId, { tokenId, now: deps.clock.now() });
        return { accountId, value: undefined };
      }),

    undoRotation: (workspaceId, accountId) =>
      change(workspaceId, async (changing) => {
        const row = await loadAccount(changing.tx, accountId);
        const revived = await swapBack(changing, accountId, deps.clock.now());
        const url = urlOfToken(deps, row, revived);
        return { accountId, value: { token: tokenOf(url), webhookUrl: url } };
      }),

    async listTokens(workspaceId) {
      const ids: readonly WorkspaceId[] = workspaceId ? [workspaceId] : await storage.asWorker(listWorkspaceIds);
      const lists = new Map<WorkspaceId, TokenListing[]>();
      const left = ids.values();
      const lane = async () => {
        for (const id of left) lists.set(id, await storage.inWorkspace(id, (tx) => listTokensOf(deps, tx)));
      };
      await Promise.all(Array.from({ length: listingLanes }, lane));
      return ids.flatMap((id) => lists.get(id) ?? []);
    },
  };
}

/** The one in use gets an end. Refused while a replaced one has not come to its own. */
async function replaceCurrent(changing: Changing, accountId: AccountId, now: Date): Promise<void> {
  const held = await listHeldTokens(changing.tx, accountId);
  if (held.some((token) => token.replacedAt && isValid(token, now))) throw new Refusal(rotationOpen);
  for (const token of held.filter(isCurrent)) await replace(changing, token, now);
}

async function retireOne(
  changing: Changing,
  accountId: AccountId,
  { tokenId, now }: { readonly tokenId: string; readonly now: Date },
): Promise<void> {
  const token = (await listHeldTokens(changing.tx, accountId)).find((one) => one.tokenId === tokenId);
  if (!token) throw new Refusal(tokenMissing);
  if (isCurrent(token)) throw new Refusal(tokenCurrent);
  if (isValid(token, now)) await end(changing, token, { retiresAt: now, replacedAt: token.replacedAt });
}

/** The token that was replaced last and the one in use change places. */
async function swapBack(changing: Changing, accountId: AccountId, now: Date): Promise<HeldToken> {
  const held = await listHeldTokens(changing.tx, accountId);
  const replaced = held
    .filter(({ replacedAt }) => replacedAt && replacedAt.getTime() > now.getTime() - tokenOverlapMs)
    .sort((one, other) => Number(other.replacedAt) - Number(one.replacedAt))[0];
  if (!replaced) throw new Refusal(nothingToUndo);
  for (const token of held.filter(isCurrent)) await replace(changing, token, now);
  await end(changing, replaced, { retiresAt: null, replacedAt: null });
  return replaced;
}

function isCurrent({ retiresAt }: HeldToken): boolean {
  return retiresAt === null;
}

function isValid({ retiresAt }: HeldToken, now: Date): boolean {
  return retiresAt === null || retiresAt > now;
}

function replace(changing: Changing, token: HeldToken, now: Date): Promise<void> {
  return end(changing, token, { retiresAt: new Date(now.getTime() + tokenOverlapMs), replacedAt: now });
}

async function end(
  { tx, routes }: Changing,
  token: HeldToken,
  how: Pick<HeldToken, 'retiresAt' | 'replacedAt'>,
): Promise<void> {
  await setTokenEnd(tx, token, how);
  routes.push({ kind: 'token', key: token.hash });
}

function tokenOf(url: string): string {
  return decodeURIComponent(url.split('/').at(-1) ?? '');
}

export async function giveToken(
  deps: AccountsDeps,
  { tx, routes }: Changing,
  row: AccountRow,
  token: string,
): Promise<ShownToken> {
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
  const [rows, tokens] = await Promise.all([listAccounts(tx), listTokenRows(tx)]);
  const accounts = new Map(rows.map((row) => [row.id, row]));
  return tokens.flatMap((token) => {
    const row = accounts.get(token.accountId);
    if (!row) return [];
    const { workspaceName, tokenId, createdAt, retiresAt, replacedAt, lastUsedAt, oldUrlHitAt } = token;
    return [
      {
        ...{ workspaceName, tokenId, createdAt, retiresAt, replacedAt, lastUsedAt, oldUrlHitAt },
        account: present(deps, row),
        webhookUrl: urlOfToken(deps, row, token),
        isQuiet: isQuiet(token, deps.clock.now()),
      },
    ];
  });
}

/** Counted from its last use, or from its replacement where it was never used since. */
export function isQuiet(
  { replacedAt, lastUsedAt }: { readonly replacedAt: Date | null; readonly lastUsedAt: Date | null },
  now: Date,
): boolean {
  if (!replacedAt) return false;
  return now.getTime() - Math.max(replacedAt.getTime(), lastUsedAt?.getTime() ?? 0) >= tokenQuietMs;
}
