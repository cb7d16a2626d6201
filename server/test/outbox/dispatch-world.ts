import { setTimeout as wait } from 'node:timers/promises';
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import { metaChannel } from '#channels';
import { silentLog, systemClock } from '#kernel';
import { createDispatcher, type Dispatcher, type DispatcherDeps } from '#outbox';
import { createPostgresEngines, type Engines } from '#storage';
import { type ProviderServer, startProviderServer } from './provider-server.ts';
import { openWorld, type World } from './world.ts';

/** The world with a provider that answers, and as many dispatchers as a test starts. */
export interface DispatchWorld extends World {
  readonly provider: ProviderServer;
  readonly engines: Engines;
  /** The account as `findServing` gives it; changes hold from the next look-up on. */
  readonly accounts: Map<AccountId, Partial<ServingAccount>>;
  /** Accounts that `findServing` throws for: their secrets cannot be opened. */
  readonly unreadable: Set<AccountId>;
  start(changes?: Partial<DispatcherDeps>): Dispatcher;
  /** Stops what was started and puts the provider back to accepting. */
  rest(): Promise<void>;
}

/** Short enough that no test waits long, long enough that a busy machine does not end a lease by itself. */
const quick = { pollMs: 50, sweepMs: 50 } as const;

export async function openDispatchWorld(): Promise<DispatchWorld> {
  const world = await openWorld();
  const provider = await startProviderServer();
  const engines = await createPostgresEngines({ connectionString: world.db.urls.app, log: silentLog });
  const accounts = new Map<AccountId, Partial<ServingAccount>>();
  const unreadable = new Set<AccountId>();
  const started: Dispatcher[] = [];
  const base: DispatcherDeps = {
    storage: world.db.storage,
    doorbell: engines.doorbell,
    counters: engines.counters,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    channels: { meta: metaChannel },
    findServing: async (workspaceId, accountId) => {
      if (unreadable.has(accountId)) throw new Error('the secrets cannot be opened');
      return servingAccount(workspaceId, accountId, accounts.get(accountId));
    },
    networkOf: () => provider.network(),
    statusCallbackUrl: () => undefined,
    noteChange: () => {},
    providerIdsKnown: async (_tx, ids) => {
      world.known.push(...ids);
    },
  };
  return {
    ...world,
    provider,
    engines,
    accounts,
    unreadable,
    start(changes = {}) {
      const dispatcher = createDispatcher({ ...base, ...changes, settings: { ...quick, ...changes.settings } });
      started.push(dispatcher);
      dispatcher.start();
      return dispatcher;
    },
    async rest() {
      await Promise.all(started.splice(0).map((dispatcher) => dispatcher.stop(0)));
      provider.behave((_send, answer) => answer.accept());
      await world.db.ownerQuery(
        `UPDATE outbox SET state = 'cancelled' WHERE state IN ('queued', 'claimed', 'sending')`,
      );
    },
    async close() {
      await engines.close();
      await provider[Symbol.asyncDispose]();
      await world.close();
    },
  };
}

function servingAccount(
  workspaceId: WorkspaceId,
  accountId: AccountId,
  changes: Partial<ServingAccount> = {},
): ServingAccount {
  return {
    workspaceId,
    accountId,
    provider: 'meta',
    channel: 'whatsapp',
    workspaceName: 'Norte',
    name: 'Desk',
    isActive: true,
    isDeleted: false,
    cutover: 'switchyard',
    cutoverShare: 100,
    settings: { phoneNumberId: '1060', messagesPerSecond: '100000' },
    secrets: { accessToken: 'token' },
    bindings: new Set(),
    webhookUrl: null,
    version: 1,
    ...changes,
  };
}

/** Looks until it holds; the last refusal is what a test that waited in vain shows. */
export async function eventually(check: () => Promise<void> | void, withinMs = 8_000): Promise<void> {
  const endsAt = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > endsAt) throw error;
      await wait(15);
    }
  }
}
