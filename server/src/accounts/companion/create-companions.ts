import { createHash, randomBytes } from 'node:crypto';
import type { AccountId } from '@switchyard/contract';
import { newId } from '#kernel';
import type { SealedPlace, Sealer, Storage } from '#storage';
import type { AccountSummary, Accounts } from '../accounts.ts';
import type {
  CompanionAccount,
  CompanionScope,
  Companions,
  LeaseKeys,
  LeaseWish,
  OpenCompanionKey,
} from './companion.ts';
import { companionLimits } from './companion.ts';
import { forgetPeople } from './forget-people.ts';
import { findSealedKeys, insertKey, listKeys, noteKeyUsed, revokeKey, type SealedKeyRow } from './key-store.ts';
import {
  dropStates,
  endLease,
  findPlace,
  findSessionFacts,
  isFenceCurrent,
  listWanted,
  type Place,
  putStates,
  readStates,
  renewLease,
  takeLease,
} from './lease-store.ts';

export interface CompanionDeps {
  readonly storage: Storage;
  readonly sealer: Sealer;
  readonly accounts: Pick<Accounts, 'find' | 'findServing' | 'update'>;
}

export function createCompanions(deps: CompanionDeps): Companions {
  const { storage, sealer, accounts } = deps;
  const inWorkspaceOf = <T>(account: AccountSummary, work: Parameters<typeof storage.inWorkspace<T>>[1]) =>
    storage.inWorkspace(account.workspaceId, work);

  function openKey(row: SealedKeyRow): OpenCompanionKey {
    const { id, workspaceId, isOperator } = row;
    const secret = sealer.openText(row.secretSealed, keyPlace(id));
    return { id, workspaceId, scope: isOperator ? null : workspaceId, secret };
  }

  async function accountAt({ workspaceId, accountId }: Place): Promise<CompanionAccount | null> {
    const account = await accounts.find(workspaceId, accountId);
    const session = account?.settings.session;
    if (account?.provider !== 'webjs' || !session) return null;
    const facts = await storage.inWorkspace(workspaceId, (tx) => findSessionFacts(tx, accountId));
    return { ...account, ...facts, session };
  }

  async function find(scope: CompanionScope, accountId: AccountId): Promise<CompanionAccount | null> {
    const place = await findPlace(storage, scope, accountId);
    return place ? accountAt(place) : null;
  }

  /** null: removed, or without a webhook. */
  async function keysOf({ workspaceId, id }: AccountSummary): Promise<LeaseKeys | null> {
    const serving = await accounts.findServing(workspaceId, id);
    if (!serving?.webhookUrl) return null;
    const { webhookKey = '', apiKey = null } = serving.secrets;
    return { webhookUrl: serving.webhookUrl, webhookKey, apiKey };
  }

  /** Where sends go from now on; the account's caches in every process hear of it. */
  async function moveTo(account: CompanionAccount, scope: CompanionScope, url: string | undefined): Promise<void> {
    if (scope !== null || url === undefined || account.settings.baseUrl === url) return;
    const moved = await accounts.update(account.workspaceId, account.id, { settings: { baseUrl: url } });
    if (!moved.ok) throw new Error(`the companion's address was refused: ${moved.refusal.detail}`);
  }

  return {
    async createKey(workspaceId, name) {
      const id = newId('companionKey');
      const secret = randomBytes(32).toString('base64url');
      const secretSealed = sealer.seal(secret, keyPlace(id));
      await storage.inWorkspace(workspaceId, (tx) => insertKey(tx, { id, name, secretSealed }));
      return { id, secret };
    },
    listKeys: (workspaceId) => storage.inWorkspace(workspaceId, listKeys),
    revokeKey: (workspaceId, id) => storage.inWorkspace(workspaceId, (tx) => revokeKey(tx, id)),
    async findKey(id) {
      const [row] = await findSealedKeys(storage, id, 1);
      return row ? openKey(row) : null;
    },
    listOpenKeys: async () => (await findSealedKeys(storage, null, companionLimits.maxKeysTried)).map(openKey),
    noteKeyUsed: (key) => noteKeyUsed(storage, key.workspaceId, key.id),

    async listActive(scope) {
      const places = await listWanted(storage, scope);
      const found: CompanionAccount[] = [];
      for (const place of places) {
        const account = await accountAt(place);
        if (account) found.push(account);
      }
      return found;
    },
    find,
    async findAny(scope, accountId) {
      const place = await findPlace(storage, scope, accountId);
      return place ? accounts.find(place.workspaceId, accountId) : null;
    },

    async takeLease(scope, accountId, wish: LeaseWish) {
      const account = await find(scope, accountId);
      const keys = account && (await keysOf(account));
      if (!account || !keys) return { kind: 'missing' };
      const { holder, leaseMs } = wish;
      const fence = await inWorkspaceOf(account, (tx) => takeLease(tx, accountId, holder, leaseMs));
      if (fence === undefined) return { kind: 'held', until: account.leasedUntil ?? new Date() };
      await moveTo(account, scope, wish.url);
      return { kind: 'leased', lease: { fence, leaseMs, ...keys } };
    },
    async renewLease(account, holder, fence, leaseMs) {
      const isRenewed = await inWorkspaceOf(account, (tx) => renewLease(tx, account.id, { holder, fence, leaseMs }));
      if (!isRenewed) return { kind: 'lost' };
      const keys = await keysOf(account);
      return keys ? { kind: 'renewed', keys } : { kind: 'missing' };
    },
    giveBackLease: (account, holder, fence) => inWorkspaceOf(account, (tx) => endLease(tx, account.id, holder, fence)),
    isFenceCurrent: (account, fence) => inWorkspaceOf(account, (tx) => isFenceCurrent(tx, account.id, fence)),

    async readState(account, names) {
      const rows = await inWorkspaceOf(account, (tx) => readStates(tx, account.id, names));
      return Object.fromEntries(rows.map(({ id, name, sealed }) => [name, sealer.openText(sealed, statePlace(id))]));
    },
    writeState: (account, fence, changes) =>
      inWorkspaceOf(account, async (tx) => {
        if (!(await isFenceCurrent(tx, account.id, fence))) return false;
        const kept = Object.entries(changes).flatMap(([name, value]) => {
          if (value === null) return [];
          const id = stateId(account.id, name);
          return [{ id, name, sealed: sealer.seal(value, statePlace(id)) }];
        });
        const dropped = Object.keys(changes).filter((name) => changes[name] === null);
        if (kept.length > 0) await putStates(tx, account.id, kept);
        if (dropped.length > 0) await dropStates(tx, account.id, dropped);
        return true;
      }),
    clearState: (account, fence) =>
      inWorkspaceOf(account, async (tx) => {
        if (!(await isFenceCurrent(tx, account.id, fence))) return false;
        await dropStates(tx, account.id, null);
        return true;
      }),
    forgetPeople: (tx, identityValues) => forgetPeople({ sealer, placeOf: statePlace }, tx, identityValues),
  };
}

function keyPlace(id: string): SealedPlace {
  return { table: 'companion_keys', column: 'secret_sealed', row: id };
}

function statePlace(id: string): SealedPlace {
  return { table: 'session_states', column: 'value_sealed', row: id };
}

/** Of account and name, as a uuid of version 8: known before the row is there. */
function stateId(accountId: AccountId, name: string): string {
  const hex = createHash('sha256').update(`${accountId}/${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
