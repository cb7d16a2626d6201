/** What people do to accounts: connect one, change it, choose the primary, remove and restore it. */
import { type AccountId, channelOfProvider, type Failure, isPaired } from '@switchyard/contract';
import { clampLimit, newId, pageOf, parseCursor } from '#kernel';
import { newToken, type WorkspaceTx } from '#storage';
import type { AccountChange, Accounts, NewAccount } from '../accounts.ts';
import { type ChangeAccount, type Changing, loadAccount } from '../changing.ts';
import { type ConnectionDeps, takeReport } from '../connection/apply-connection.ts';
import { failureOf, Refusal } from '../failures.ts';
import { type AccountsDeps, present, secretsOf } from '../parts.ts';
import { claimRoutes } from '../routing/claims.ts';
import { giveToken } from '../tokens/token-acts.ts';
import { sealSecrets } from './account-secrets.ts';
import {
  type AccountRow,
  findAccount,
  insertAccount,
  isPhoneTaken,
  listAccountPage,
  listAccounts,
  makePrimary,
  updateAccount,
} from './account-store.ts';
import { checkFields, mergeFields } from './fields.ts';
import { dropSecretDates, noteSecretEnds, noteSecretsSet } from './secret-dates-store.ts';
import { checkShape, checkToken } from './shape.ts';
import { checkWish, mergeMetadata } from './wishes.ts';

export function createAccountActs(
  deps: AccountsDeps & ConnectionDeps,
  change: ChangeAccount,
): Pick<Accounts, 'create' | 'update' | 'setPrimary' | 'list' | 'listPage' | 'find'> {
  const { storage } = deps;
  return {
    create: (workspaceId, account) =>
      change(workspaceId, async (changing) => {
        const { id, channel } = await insertNew(deps, changing, account);
        if (account.isPrimary) await makePrimary(changing.tx, id, channel);
        const row = await loadAccount(changing.tx, id);
        const given = await giveToken(deps, changing, row, checkToken(account.token ?? newToken()));
        return { accountId: id, value: { account: present(deps, row), ...given } };
      }),

    update: (workspaceId, accountId, wish) =>
      change(workspaceId, async (changing) => {
        await updateOne(deps, changing, await loadAccount(changing.tx, accountId), wish);
        return { accountId, value: present(deps, await loadAccount(changing.tx, accountId)) };
      }),

    setPrimary: (workspaceId, accountId) =>
      change(workspaceId, async ({ tx }) => {
        const { channel } = await loadAccount(tx, accountId);
        await makePrimary(tx, accountId, channel);
        return { accountId, value: present(deps, await loadAccount(tx, accountId)) };
      }),

    list: (workspaceId) =>
      storage.inWorkspace(workspaceId, async (tx) => (await listAccounts(tx)).map((row) => present(deps, row))),

    listPage: (workspaceId, { limit, cursor, isRemoved = false }) => {
      const size = clampLimit(limit);
      const after = (cursor === undefined ? null : (parseCursor(cursor, 1)?.[0] ?? null)) as AccountId | null;
      return storage.inWorkspace(workspaceId, async (tx) => {
        const rows = await listAccountPage(tx, { isRemoved, after, limit: size + 1 });
        return pageOf(rows, size, { item: (row) => present(deps, row), key: (row) => [row.id] });
      });
    },

    find: (workspaceId, accountId) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const row = await findAccount(tx, accountId);
        return row && !row.isDeleted ? present(deps, row) : null;
      }),
  };
}

async function insertNew(deps: AccountsDeps, changing: Changing, account: NewAccount): Promise<AccountRow> {
  const { tx } = changing;
  const { provider, settings, secrets } = account;
  const { fields } = deps.channels[provider];
  refuseIf(checkFields(fields, settings, secrets) ?? checkWish(account, fields, secrets));
  const shape = checkShape(account, provider);
  const id = account.id ?? newId('account');
  const channel = channelOfProvider[provider];
  await refuseTakenPhone(tx, { id, channel, phoneNumber: shape.phoneNumber });
  const row = await insertAccount(tx, {
    ...shape,
    id,
    provider,
    channel,
    isActive: account.isActive ?? false,
    settings,
    secretsSealed: sealSecrets(deps.sealer, id, secrets),
    createdBy: account.createdBy ?? null,
    metadata: mergeMetadata({}, account.metadata),
    wantedWebhookEvents: account.wantedWebhookEvents ?? [],
  });
  if (!row) throw new Refusal(failureOf('account_exists', 'There is an account with this id.'));
  await noteSecretsSet(tx, id, Object.keys(secrets));
  await noteSecretEnds(tx, id, Object.entries(account.secretEnds ?? {}));
  await claimRoutes(changing, row, { fields, secrets });
  return row;
}

async function updateOne(
  deps: AccountsDeps & ConnectionDeps,
  changing: Changing,
  before: AccountRow,
  wish: AccountChange,
): Promise<void> {
  const { tx } = changing;
  const { id } = before;
  const { fields } = deps.channels[before.provider];
  const settings = mergeFields(before.settings, wish.settings);
  const secrets = mergeFields(secretsOf(deps, before), wish.secrets);
  refuseIf(checkFields(fields, settings, secrets) ?? checkWish(wish, fields, secrets));
  const shape = checkShape(withoutAbsent(before, wish), before.provider);
  await refuseTakenPhone(tx, { ...before, phoneNumber: shape.phoneNumber });
  const row = await updateAccount(tx, {
    ...shape,
    id,
    isActive: wish.isActive ?? before.isActive,
    settings,
    secretsSealed: sealSecrets(deps.sealer, id, secrets),
    metadata: mergeMetadata(before.metadata, wish.metadata),
    wantedWebhookEvents: wish.wantedWebhookEvents ?? before.wantedWebhookEvents,
  });
  await noteSecretsSet(
    tx,
    id,
    Object.keys(wish.secrets ?? {}).filter((name) => secrets[name]),
  );
  await noteSecretEnds(tx, id, Object.entries(wish.secretEnds ?? {}));
  await dropSecretDates(tx, id, Object.keys(secrets));
  await claimRoutes(changing, row, { fields, secrets });
  await tryAnew(deps, tx, before, wish);
}

/** New credentials may be the cure of an error; of a linked phone they are not. */
async function tryAnew(deps: ConnectionDeps, tx: WorkspaceTx, before: AccountRow, wish: AccountChange): Promise<void> {
  const isCure = Object.keys(wish.secrets ?? {}).length > 0 && before.connectionStatus === 'error';
  if (!isCure || isPaired(before.provider)) return;
  await takeReport(deps, tx, before.id, { kind: 'report', status: 'connecting', actor: 'credentials' });
}

export async function refuseTakenPhone(tx: WorkspaceTx, account: Parameters<typeof isPhoneTaken>[1]): Promise<void> {
  if (!(await isPhoneTaken(tx, account))) return;
  throw new Refusal(failureOf('phone_taken', 'This workspace has an account with this number.'));
}

function refuseIf(failure: Failure | null): void {
  if (failure) throw new Refusal(failure);
}

/** An empty text takes away; what is absent stays. */
function withoutAbsent(before: AccountRow, wish: AccountChange): Parameters<typeof checkShape>[0] {
  return {
    name: wish.name ?? before.name,
    phoneNumber: wish.phoneNumber ?? before.phoneNumber ?? '',
    businessName: wish.businessName ?? before.businessName ?? '',
  };
}
