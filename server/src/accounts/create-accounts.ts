import { type AccountId, channelOfProvider, type Failure, type Provider, type WorkspaceId } from '@switchyard/contract';
import type { AccountFields } from '#channels';
import { type Clock, done, type Log, newId, type Result, refused } from '#kernel';
import {
  type Engines,
  hashToken,
  type NoteChange,
  newToken,
  type Sealer,
  type Storage,
  type WorkspaceTx,
} from '#storage';
import { openSecrets, sealSecrets, tokenPlace } from './account-secrets.ts';
import {
  type AccountRow,
  findAccount,
  insertAccount,
  isPhoneTaken,
  listAccounts,
  lockAccounts,
  makePrimary,
  markRemoved,
  promoteNext,
  updateAccount,
} from './account-store.ts';
import type { Accounts, NewAccount, RouteKind, TokenListing } from './accounts.ts';
import { applyAccountEvent } from './apply-event.ts';
import { bindingsOf, type RouteClaim, routesOf } from './bindings.ts';
import { accountMissing, failureOf, Refusal, routeTaken } from './failures.ts';
import { checkFields, mergeFields } from './fields.ts';
import { createNotes } from './notes.ts';
import { presentAccount, servingAccount, webhookUrl } from './presentation.ts';
import {
  claimRoute,
  dropRoute,
  findNewestToken,
  insertToken,
  listRoutes,
  listTokenRows,
  listWorkspaceIds,
  offerChallenge,
  retireTokens,
} from './route-store.ts';
import { createRouting } from './routing.ts';

/** A rotated token still works as long as a provider may repeat a delivery: Meta does for 7 days. */
export const tokenOverlapMs = 8 * 24 * 60 * 60 * 1000;

export const accountLimits = { maxNameLength: 200, minTokenLength: 8, maxTokenLength: 256 } as const;

export interface AccountsDeps {
  readonly storage: Storage;
  readonly engines: Pick<Engines, 'cache'>;
  readonly sealer: Sealer;
  /** What each provider's accounts need: its channel, or the like. */
  readonly channels: Readonly<Record<Provider, { readonly fields: AccountFields }>>;
  readonly publicUrl: string | undefined;
  readonly noteChange: NoteChange;
  readonly clock: Clock;
  readonly log: Log;
}

type Named = Readonly<Record<string, string>>;
type Change = Parameters<Accounts['update']>[2];
interface Route {
  readonly kind: RouteKind;
  readonly key: string;
}

export function createAccounts(deps: AccountsDeps): Accounts {
  const { storage, sealer, channels, publicUrl } = deps;
  const notes = createNotes(deps);
  const routing = createRouting({ ...deps, noteToken: notes.noteToken }, ({ workspaceId, accountId }) =>
    storage.inWorkspace(workspaceId, async (tx) => {
      const row = await findAccount(tx, accountId);
      if (!row) return null;
      const token = await findNewestToken(tx, accountId);
      const url = token && webhookUrl(publicUrl, row, sealer.openText(token.tokenSealed, tokenPlace(token.tokenId)));
      return servingAccount(row, { secrets: secretsOf(row), webhookUrl: url }, channels[row.provider].fields);
    }),
  );

  const secretsOf = (row: AccountRow) => openSecrets(sealer, row.id, row.secretsSealed);
  const present = (row: AccountRow) => presentAccount(row, secretsOf(row));

  /** In one transaction, under the lock of the workspace's accounts; then the caches hear of what changed. */
  async function change<T>(
    workspaceId: WorkspaceId,
    work: (tx: WorkspaceTx, changed: Route[]) => Promise<{ readonly accountId: AccountId; readonly value: T }>,
  ): Promise<Result<T, Failure>> {
    const changed: Route[] = [];
    try {
      const { accountId, value } = await storage.inWorkspace(workspaceId, async (tx) => {
        await lockAccounts(tx);
        const outcome = await work(tx, changed);
        deps.noteChange(tx, 'account', [outcome.accountId]);
        return outcome;
      });
      for (const { kind, key } of changed) await routing.forgetRoute(kind, key);
      await routing.forgetAccount(workspaceId, accountId);
      return done(value);
    } catch (error) {
      if (error instanceof Refusal) return refused(error.failure);
      throw error;
    }
  }

  async function giveToken(
    tx: WorkspaceTx,
    row: AccountRow,
    token: string,
    changed: Route[],
  ): Promise<{ readonly token: string; readonly webhookUrl: string }> {
    const id = newId('account');
    const hash = hashToken(token);
    const isNew = await insertToken(
      tx,
      { accountId: row.id, provider: row.provider },
      { id, hash, sealed: sealer.seal(token, tokenPlace(id)) },
    );
    if (!isNew) throw new Refusal(routeTaken('webhook token'));
    changed.push({ kind: 'token', key: hash });
    return { token, webhookUrl: webhookUrl(publicUrl, row, token) };
  }

  /** Claims what the account is routed by now, and lets go of what it no longer is. */
  async function claimRoutes(tx: WorkspaceTx, row: AccountRow, secrets: Named, changed: Route[]): Promise<void> {
    const owner = { accountId: row.id, provider: row.provider };
    const { fields } = channels[row.provider];
    const claims = routesOf(bindingsOf(fields, row.settings));
    const challenges = verifyTokensOf(fields, secrets).map(hashToken);
    const wanted = new Set([
      ...claims.map(({ kind, key }) => `${kind}:${key}`),
      ...challenges.map((hash) => `challenge:${hash}`),
    ]);
    for (const { kind, key } of await listRoutes(tx, row.id)) {
      if (kind === 'token' || wanted.has(`${kind}:${key}`)) continue;
      await dropRoute(tx, row.id, kind, key);
      changed.push({ kind, key });
    }
    for (const claim of claims) await claimOrRefuse(tx, owner, claim, changed);
    for (const hash of challenges) {
      await offerChallenge(tx, owner, hash);
      changed.push({ kind: 'challenge', key: hash });
    }
  }

  return {
    peekRoute(kind, key) {
      return routing.peek(kind, key);
    },

    route: routing.route,
    countRouting: notes.countRouting,
    findServing: routing.find,

    create: (workspaceId, account) =>
      change(workspaceId, async (tx, changed) => {
        const { provider, settings, secrets } = account;
        refuseIf(checkFields(channels[provider].fields, settings, secrets));
        const shape = checkShape(account, provider);
        const id = account.id ?? newId('account');
        const channel = channelOfProvider[provider];
        if (await isPhoneTaken(tx, { id, channel, phoneNumber: shape.phoneNumber })) throw new Refusal(phoneTaken);
        const row = await insertAccount(tx, {
          ...shape,
          id,
          provider,
          channel,
          isActive: account.isActive ?? true,
          settings,
          secretsSealed: sealSecrets(sealer, id, secrets),
          createdBy: account.createdBy ?? null,
        });
        if (!row) throw new Refusal(failureOf('account_exists', 'There is an account with this id.'));
        await claimRoutes(tx, row, secrets, changed);
        const given = await giveToken(tx, row, checkToken(account.token ?? newToken()), changed);
        return { accountId: id, value: { account: present(row), ...given } };
      }),

    list: (workspaceId) => storage.inWorkspace(workspaceId, async (tx) => (await listAccounts(tx)).map(present)),

    find: (workspaceId, accountId) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const row = await findAccount(tx, accountId);
        return row && !row.isDeleted ? present(row) : null;
      }),

    update: (workspaceId, accountId, wish) =>
      change(workspaceId, async (tx, changed) => {
        const before = await loadAccount(tx, accountId);
        const settings = mergeFields(before.settings, wish.settings);
        const secrets = mergeFields(secretsOf(before), wish.secrets);
        refuseIf(checkFields(channels[before.provider].fields, settings, secrets));
        const shape = checkShape(withoutAbsent(before, wish), before.provider);
        if (await isPhoneTaken(tx, { ...before, phoneNumber: shape.phoneNumber })) throw new Refusal(phoneTaken);
        const row = await updateAccount(tx, {
          ...shape,
          id: accountId,
          isActive: wish.isActive ?? before.isActive,
          settings,
          secretsSealed: sealSecrets(sealer, accountId, secrets),
        });
        await claimRoutes(tx, row, secrets, changed);
        return { accountId, value: present(row) };
      }),

    setPrimary: (workspaceId, accountId) =>
      change(workspaceId, async (tx) => {
        const { channel } = await loadAccount(tx, accountId);
        await makePrimary(tx, accountId, channel);
        return { accountId, value: present(await loadAccount(tx, accountId)) };
      }),

    remove: (workspaceId, accountId) =>
      change(workspaceId, async (tx, changed) => {
        const { channel } = await loadAccount(tx, accountId);
        await retireTokens(tx, accountId, deps.clock.now());
        for (const { kind, key } of await listRoutes(tx, accountId)) {
          await dropRoute(tx, accountId, kind, key);
          changed.push({ kind, key });
        }
        await markRemoved(tx, accountId);
        await promoteNext(tx, channel);
        return { accountId, value: undefined };
      }),

    rotateToken: (workspaceId, accountId) =>
      change(workspaceId, async (tx, changed) => {
        const row = await loadAccount(tx, accountId);
        const retiresAt = new Date(deps.clock.now().getTime() + tokenOverlapMs);
        for (const key of await retireTokens(tx, accountId, retiresAt)) changed.push({ kind: 'token', key });
        return { accountId, value: await giveToken(tx, row, newToken(), changed) };
      }),

    async listTokens(workspaceId) {
      const ids = workspaceId ? [workspaceId] : await storage.asWorker(listWorkspaceIds);
      const lists: TokenListing[][] = [];
      for (const id of ids) lists.push(await storage.inWorkspace(id, listTokensOf));
      return lists.flat();
    },

    async applyEvent(tx, accountId, event) {
      await applyAccountEvent(tx, accountId, event);
      deps.noteChange(tx, 'account', [accountId]);
    },
    noteWebhook: (account) => notes.noteWebhook(account.workspaceId, account.accountId),
    close: () => notes.close(),
  };

  async function listTokensOf(tx: WorkspaceTx): Promise<TokenListing[]> {
    const accounts = new Map((await listAccounts(tx)).map((row) => [row.id, row]));
    return (await listTokenRows(tx)).flatMap((token) => {
      const row = accounts.get(token.accountId);
      if (!row) return [];
      const { workspaceName, tokenId, createdAt, retiresAt, lastUsedAt } = token;
      const text = sealer.openText(token.tokenSealed, tokenPlace(tokenId));
      const url = webhookUrl(publicUrl, row, text);
      return [{ workspaceName, account: present(row), tokenId, webhookUrl: url, createdAt, retiresAt, lastUsedAt }];
    });
  }
}

const phoneTaken = failureOf('phone_taken', 'This workspace has an account with this number.');

async function loadAccount(tx: WorkspaceTx, accountId: AccountId): Promise<AccountRow> {
  const row = await findAccount(tx, accountId);
  if (!row || row.isDeleted) throw new Refusal(accountMissing);
  return row;
}

async function claimOrRefuse(
  tx: WorkspaceTx,
  owner: { readonly accountId: AccountId; readonly provider: Provider },
  claim: RouteClaim,
  changed: Route[],
): Promise<void> {
  if (!(await claimRoute(tx, owner, claim))) throw new Refusal(routeTaken(claim.kind));
  changed.push({ kind: claim.kind, key: claim.key });
}

function refuseIf(failure: Failure | null): void {
  if (failure) throw new Refusal(failure);
}

function withoutAbsent(before: AccountRow, wish: Change): { readonly name: string; readonly phoneNumber?: string } {
  const phoneNumber = wish.phoneNumber ?? before.phoneNumber;
  return { name: wish.name ?? before.name, ...(phoneNumber ? { phoneNumber } : {}) };
}

function checkShape(
  account: Pick<NewAccount, 'name' | 'phoneNumber'>,
  provider: Provider,
): { readonly name: string; readonly phoneNumber: string | null } {
  const name = account.name?.trim() || provider;
  const tooLong = name.length > accountLimits.maxNameLength;
  if (tooLong) throw new Refusal(failureOf('name_too_long', `A name has ${accountLimits.maxNameLength} characters.`));
  const phoneNumber = account.phoneNumber?.replaceAll(/[\s().-]/g, '') || null;
  if (phoneNumber && !/^\+[1-9]\d{4,14}$/.test(phoneNumber)) {
    throw new Refusal(failureOf('phone_malformed', 'A number is written with + and country code: +14155550100.'));
  }
  return { name, phoneNumber };
}

/** An imported token stands in a path: no slash, nothing that a URL reads otherwise. */
function checkToken(token: string): string {
  const { minTokenLength, maxTokenLength } = accountLimits;
  const isGood = token.length >= minTokenLength && token.length <= maxTokenLength && /^[\w.~-]+$/.test(token);
  if (isGood) return token;
  throw new Refusal(
    failureOf('token_malformed', `A token has ${minTokenLength} to ${maxTokenLength} letters, digits or ._~-`),
  );
}

function verifyTokensOf(fields: AccountFields, secrets: Named): readonly string[] {
  return fields.secrets.flatMap(({ name, verifies }) => {
    const value = secrets[name];
    return verifies === 'challenge' && value ? [value] : [];
  });
}
