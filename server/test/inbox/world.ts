import { randomBytes } from 'node:crypto';
import type { AccountId, DeliveryId, Provider, WorkspaceId } from '@switchyard/contract';
import { type Accounts, type Companions, createAccounts, createCompanions, type NewAccount } from '#accounts';
import { type Channel, evolutionChannel, instagramChannel, metaChannel, twilioChannel, webjsChannel } from '#channels';
import { createCommerce } from '#commerce';
import { createConversations } from '#conversations';
import { createFlows } from '#flows';
import {
  createDrain,
  createReceiver,
  type DrainDeps,
  type NudgeableDrain,
  type Receiver,
  releaseParked,
  type VerifiedDelivery,
} from '#inbox';
import { type Log, newId, silentLog, systemClock } from '#kernel';
import { createOutbox, type Outbox, type ProviderIdsKnown } from '#outbox';
import { createPipeline, type PipelineParts } from '#pipeline';
import {
  createPasswords,
  createPostgresEngines,
  createSealer,
  type Engines,
  keyText,
  openDatabase,
  parseKeyring,
  type Sealer,
  type Storage,
} from '#storage';
import { createWorkspaces, type Workspaces } from '#workspaces';
import { type TestDatabase, testDatabase } from '../support/database.ts';

export const channels: Readonly<Record<Provider, Channel>> = {
  meta: metaChannel,
  instagram: instagramChannel,
  twilio: twilioChannel,
  evolution: evolutionChannel,
  webjs: webjsChannel,
};

/** The rooms from inbox to outbox as the server wires them, on a database of their own. Nothing leaves the outbox. */
export interface InboxWorld {
  readonly db: TestDatabase;
  readonly engines: Engines;
  readonly accounts: Accounts;
  readonly companions: Companions;
  readonly sealer: Sealer;
  readonly workspaces: Workspaces;
  readonly outbox: Outbox;
  readonly operatorId: WorkspaceId;
  /** A workspace with one Meta account. */
  shop(facts?: { readonly wabaId?: string }): Promise<Shop>;
  connect(workspaceId: WorkspaceId, account: NewAccount): Promise<AccountId>;
  receiver(storage?: Storage): Receiver;
  /** A worker: started, and stopped with the world. */
  worker(facts?: WorkerFacts): NudgeableDrain;
  /** Connections of its own, as another process has them. */
  connection(name?: string): Promise<Storage>;
  /** Until nothing is stored, pending or due. */
  settled(): Promise<void>;
  /** Until `look` gives something else than undefined or false. */
  eventually<T>(look: () => Promise<T | undefined | false>): Promise<T>;
  close(): Promise<void>;
}

export interface WorkerFacts extends Partial<Omit<DrainDeps, 'pipeline'>> {
  readonly parts?: Partial<PipelineParts>;
}

export interface Shop {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
  readonly phoneNumberId: string;
  readonly wabaId: string;
}

let numbers = 300_000_000_000;

export async function openInboxWorld(): Promise<InboxWorld> {
  const db = await testDatabase();
  const engines = await createPostgresEngines({ connectionString: db.urls.app, log: silentLog });
  const sealer = createSealer(parseKeyring(keyText(randomBytes(32))));
  const clock = systemClock;
  const { storage } = db;
  const accounts = createAccounts({
    ...{
      storage,
      engines,
      sealer,
      channels,
      publicUrl: 'https://hooks.example.com',
      clock,
      log: silentLog,
      noteChange: () => {},
    },
  });
  const workspaces = createWorkspaces({ storage, passwords: createPasswords(), counters: engines.counters, clock });
  const conversations = createConversations();
  const outbox: Outbox = createOutbox({
    doorbell: engines.doorbell,
    providerIdsKnown: (tx, known) => release(tx, known),
    log: silentLog,
    noteChange: () => {},
  });
  const release: ProviderIdsKnown = (tx, known) => releaseParked(tx, outbox.applyReceipt, known);
  const drains: NudgeableDrain[] = [];
  const storages: Storage[] = [];

  function nudgeAll(): void {
    for (const drain of drains) drain.nudge();
  }

  function worker({ parts, ...facts }: WorkerFacts = {}): NudgeableDrain {
    const flows = createFlows();
    const drain = createDrain({
      storage,
      engines,
      accounts,
      channels,
      noteChange: () => {},
      effects: {
        noteChange: () => {},
        openConversations: async (tx, messages, isNew) => {
          const correspondents = messages.map(({ account, event }) => ({
            accountId: account.accountId,
            provider: account.provider,
            customer: event.customer,
            ...(event.profileName === undefined ? {} : { profileName: event.profileName }),
            ...(event.groupId === undefined ? {} : { groupId: event.groupId }),
          }));
          const opened = await conversations.resolveWanted(tx, correspondents, isNew);
          return opened.map((one) => one?.conversationId ?? null);
        },
        applyReceipt: (tx, account, eventId, event) => outbox.applyReceipt(tx, account.accountId, eventId, event),
        applyAccountEvent: (tx, account, event) => accounts.applyEvent(tx, account.accountId, event),
      },
      pipeline: createPipeline({ outbox, conversations, flows, commerce: createCommerce(), clock, ...parts }),
      findServing: accounts.findServing,
      loadConversations: conversations.loadConversations,
      capabilitiesOf: (account) => channels[account.provider].capabilities,
      releaseParked: release,
      applyReceipt: outbox.applyReceipt,
      clock,
      worker: `test ${drains.length}`,
      leaseMs: 30_000,
      log: silentLog,
      ...facts,
    });
    drains.push(drain);
    drain.start();
    return drain;
  }

  async function connect(workspaceId: WorkspaceId, account: NewAccount): Promise<AccountId> {
    const made = await accounts.create(workspaceId, account);
    if (!made.ok) throw new Error(`${made.refusal.code}: ${made.refusal.detail}`);
    return made.value.account.id;
  }

  async function shop(facts: { readonly wabaId?: string } = {}): Promise<Shop> {
    numbers += 1;
    const made = await workspaces.create(`Shop ${numbers}`);
    if (!made.ok) throw new Error(made.refusal.code);
    const workspaceId = made.value.id;
    const settings = { phoneNumberId: String(numbers), wabaId: facts.wabaId ?? `9${numbers}` };
    const accountId = await connect(workspaceId, { provider: 'meta', settings, secrets: { accessToken: 'a token' } });
    return { workspaceId, accountId, ...settings };
  }

  return {
    db,
    engines,
    accounts,
    companions: createCompanions({ storage, sealer, accounts }),
    sealer,
    workspaces,
    outbox,
    operatorId: (await workspaces.operatorWorkspace()).id,
    shop,
    connect,
    receiver: (own = storage) => createReceiver({ storage: own, log: silentLog, stored: nudgeAll }),
    worker,
    async connection(name = 'another') {
      const own = await openDatabase({
        urls: db.urls,
        log: silentLog,
        allowUnsafe: true,
        applicationName: name,
        poolSizes: { app: 4, gateway: 1, worker: 3 },
      });
      storages.push(own);
      return own;
    },
    settled: async () => {
      await eventually(async () => {
        const [row] = await db.ownerQuery<{ open: string }>(
          `SELECT (SELECT count(*) FROM inbox WHERE state = 'stored') + (SELECT count(*) FROM arrivals) + (SELECT count(*) FROM events WHERE state = 'pending')
             + (SELECT count(*) FROM conversations WHERE next_due_at IS NOT NULL) AS open`,
        );
        return row?.open === '0';
      });
    },
    eventually,
    async close() {
      await Promise.all(drains.map((drain) => drain.stop(1_000)));
      await accounts.close();
      await engines.close();
      await Promise.all(storages.map((own) => own.close()));
      await db.close();
    },
  };
}

/** Looks again and again; the test's own time-out is the limit. */
async function eventually<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

export type DeliveryFacts = Partial<Omit<VerifiedDelivery, 'body'>>;

/** A delivery by the token route of a shop's account; `facts` says otherwise. */
export function delivery(shop: Shop, body: unknown, facts: DeliveryFacts = {}): VerifiedDelivery {
  return {
    id: newId('delivery') as DeliveryId,
    workspaceId: shop.workspaceId,
    accountId: shop.accountId,
    provider: 'meta',
    routeKind: 'token',
    method: 'POST',
    target: '/webhooks/meta/whatsapp/***',
    headers: { 'content-type': 'application/json' },
    body: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    secretsSealed: null,
    isAuthenticated: true,
    isTest: false,
    receivedAt: new Date(),
    ...facts,
  };
}

/** A delivery of the app-level route, which belongs to the operator. */
export function sharedDelivery(world: InboxWorld, body: unknown): VerifiedDelivery {
  const owner = { workspaceId: world.operatorId, accountId: null as never, phoneNumberId: '', wabaId: '' };
  return delivery(owner, body, { accountId: null, routeKind: 'shared', target: '/api/whatsapp/webhook' });
}

export interface TextFacts {
  readonly id?: string;
  readonly from?: string;
  /** Seconds since 1970; now. */
  readonly at?: number;
  readonly text?: string;
}

let messages = 0;

export function text(facts: TextFacts = {}): Record<string, unknown> {
  messages += 1;
  return {
    from: facts.from ?? '34600000001',
    id: facts.id ?? `wamid.${messages}`,
    timestamp: String(facts.at ?? Math.floor(Date.now() / 1_000)),
    type: 'text',
    text: { body: facts.text ?? `message ${messages}` },
  };
}

export function status(id: string, kind: string, facts: { readonly at?: number } = {}): Record<string, unknown> {
  const timestamp = String(facts.at ?? Math.floor(Date.now() / 1_000));
  return { id, status: kind, timestamp, recipient_id: '34600000001' };
}

/** One value of Meta's envelope: what it holds of one number. */
export function value(shop: Pick<Shop, 'phoneNumberId'>, parts: Record<string, unknown>): Record<string, unknown> {
  return {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550783881', phone_number_id: shop.phoneNumberId },
    ...parts,
  };
}

export function body(shop: Shop, ...values: readonly Record<string, unknown>[]): Record<string, unknown> {
  return envelope([{ wabaId: shop.wabaId, values }]);
}

export function envelope(
  entries: readonly { readonly wabaId: string; readonly values: readonly unknown[] }[],
): Record<string, unknown> {
  return {
    object: 'whatsapp_business_account',
    entry: entries.map(({ wabaId, values }) => ({
      id: wabaId,
      changes: values.map((one) => ({ field: 'messages', value: one })),
    })),
  };
}

export function textBody(shop: Shop, ...texts: readonly TextFacts[]): Record<string, unknown> {
  return body(shop, value(shop, { messages: texts.map((facts) => text(facts)) }));
}

/** The log, kept. */
export function listeningLog(): Log & { readonly lines: { level: string; facts: object; text: string }[] } {
  const lines: { level: string; facts: object; text: string }[] = [];
  const write = (level: string) => (facts: object, line: string) => void lines.push({ level, facts, text: line });
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return { ...log, lines };
}
