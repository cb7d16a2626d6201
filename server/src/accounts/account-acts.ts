/** What people do to accounts: connect one, change it, choose the primary, remove it. */
import { channelOfProvider, type Failure } from '@switchyard/contract';
import { newId } from '#kernel';
import { newToken, type WorkspaceTx } from '#storage';
import { sealSecrets } from './account-secrets.ts';
import {
  type AccountRow,
  findAccount,
  insertAccount,
  isPhoneTaken,
  listAccounts,
  makePrimary,
  markRemoved,
  promoteNext,
  updateAccount,
} from './account-store.ts';
import type { Accounts, NewAccount } from './accounts.ts';
import { type ChangeAccount, type Changing, loadAccount } from './changing.ts';
import { claimRoutes, dropRoutes } from './claims.ts';
import { failureOf, Refusal } from './failures.ts';
import { checkFields, mergeFields } from './fields.ts';
import { type AccountsDeps, present, secretsOf } from './parts.ts';
import { checkShape, checkToken } from './shape.ts';
import { giveToken, retire } from './token-acts.ts';

type Wish = Parameters<Accounts['update']>[2];

export function createAccountActs(
  deps: AccountsDeps,
  change: ChangeAccount,
): Pick<Accounts, 'create' | 'update' | 'setPrimary' | 'remove' | 'list' | 'find'> {
  const { storage } = deps;
  return {
    create: (workspaceId, account) =>
      change(workspaceId, async (changing) => {
        const row = await insertNew(deps, changing, account);
        const given = await giveToken(deps, changing, row, checkToken(account.token ?? newToken()));
        return { accountId: row.id, value: { account: present(deps, row), ...given } };
      }),

    update: (workspaceId, accountId, wish) =>
      change(workspaceId, async (changing) => {
        const before = await loadAccount(changing.tx, accountId);
        return { accountId, value: present(deps, await updateOne(deps, changing, before, wish)) };
      }),

    setPrimary: (workspaceId, accountId) =>
      change(workspaceId, async ({ tx }) => {
        const { channel } = await loadAccount(tx, accountId);
        await makePrimary(tx, accountId, channel);
        return { accountId, value: present(deps, await loadAccount(tx, accountId)) };
      }),

    remove: (workspaceId, accountId) =>
      change(workspaceId, async (changing) => {
        const { channel } = await loadAccount(changing.tx, accountId);
        await retire(changing, accountId, deps.clock.now());
        await dropRoutes(changing, accountId, () => true);
        await markRemoved(changing.tx, accountId);
        await promoteNext(changing.tx, channel);
        return { accountId, value: undefined };
      }),

    list: (workspaceId) =>
      storage.inWorkspace(workspaceId, async (tx) => (await listAccounts(tx)).map((row) => present(deps, row))),

    find: (workspaceId, accountId) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const row = await findAccount(tx, accountId);
        return row && !row.isDeleted ? present(deps, row) : null;
      }),
  };
}

async function insertNew(deps: AccountsDeps, changing: Changing, account: NewAccount): Promise<AccountRow> {
  const { provider, settings, secrets } = account;
  const { fields } = deps.channels[provider];
  refuseIf(checkFields(fields, settings, secrets));
  const shape = checkShape(account, provider);
  const id = account.id ?? newId('account');
  const channel = channelOfProvider[provider];
  await refuseTakenPhone(changing.tx, { id, channel, phoneNumber: shape.phoneNumber });
  const row = await insertAccount(changing.tx, {
    ...shape,
    id,
    provider,
    channel,
    isActive: account.isActive ?? true,
    settings,
    secretsSealed: sealSecrets(deps.sealer, id, secrets),
    createdBy: account.createdBy ?? null,
  });
  if (!row) throw new Refusal(failureOf('account_exists', 'There is an account with this id.'));
  await claimRoutes(changing, row, { fields, secrets });
  return row;
}

async function updateOne(deps: AccountsDeps, changing: Changing, before: AccountRow, wish: Wish): Promise<AccountRow> {
  const { fields } = deps.channels[before.provider];
  const settings = mergeFields(before.settings, wish.settings);
  const secrets = mergeFields(secretsOf(deps, before), wish.secrets);
  refuseIf(checkFields(fields, settings, secrets));
  const shape = checkShape(withoutAbsent(before, wish), before.provider);
  await refuseTakenPhone(changing.tx, { ...before, phoneNumber: shape.phoneNumber });
  const row = await updateAccount(changing.tx, {
    ...shape,
    id: before.id,
    isActive: wish.isActive ?? before.isActive,
    settings,
    secretsSealed: sealSecrets(deps.sealer, before.id, secrets),
  });
  await claimRoutes(changing, row, { fields, secrets });
  return row;
}

async function refuseTakenPhone(tx: WorkspaceTx, account: Parameters<typeof isPhoneTaken>[1]): Promise<void> {
  if (!(await isPhoneTaken(tx, account))) return;
  throw new Refusal(failureOf('phone_taken', 'This workspace has an account with this number.'));
}

function refuseIf(failure: Failure | null): void {
  if (failure) throw new Refusal(failure);
}

function withoutAbsent(before: AccountRow, wish: Wish): { readonly name: string; readonly phoneNumber?: string } {
  const phoneNumber = wish.phoneNumber ?? before.phoneNumber;
  return { name: wish.name ?? before.name, ...(phoneNumber ? { phoneNumber } : {}) };
}
