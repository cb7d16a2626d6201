import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AccountId, PersonId, Provider, WorkspaceId } from '@switchyard/contract';
import type { FastifyInstance } from 'fastify';
import {
  type Accounts,
  type Companions,
  createAccounts,
  createCompanions,
  createPairing,
  createProviderWebhooks,
  type Pairing,
  type ServingAccount,
} from '#accounts';
import { type ApiDeps, createApi } from '#api';
import {
  anywhere,
  type Channel,
  defaultSendTimeouts,
  evolutionChannel,
  instagramChannel,
  metaChannel,
  twilioChannel,
  webjsChannel,
} from '#channels';
import { type CommerceDoor, createCommerce } from '#commerce';
import { type ConversationsDoor, createConversations } from '#conversations';
import { createFlows } from '#flows';
import { createReceiver } from '#inbox';
import { type Log, silentLog, systemClock } from '#kernel';
import { createCallOut, createMonitoring, type Monitoring } from '#monitoring';
import { createOutbox, type Outbox } from '#outbox';
import { createPrivacy, createRetention, type Privacy } from '#privacy';
import {
  createLiveBell,
  createPasswords,
  createPostgresEngines,
  createSealer,
  type Engines,
  keyText,
  type LiveBell,
  parseKeyring,
  type Sealer,
} from '#storage';
import {
  createPeople,
  createWorkspaces,
  type Mailer,
  type MemberRole,
  type People,
  resources,
  type Workspaces,
} from '#workspaces';
import { type TestDatabase, testDatabase } from '../support/database.ts';

export const channels: Readonly<Record<Provider, Channel>> = {
  meta: metaChannel,
  instagram: instagramChannel,
  twilio: twilioChannel,
  evolution: evolutionChannel,
  webjs: webjsChannel,
};

export const password = 'correct horse battery';

/** One process of the server as far as the interface goes: its own engines, rooms and listener; the database is shared. */
export interface ApiProcess {
  readonly engines: Engines;
  readonly sealer: Sealer;
  readonly workspaces: Workspaces;
  readonly people: People;
  readonly accounts: Accounts;
  readonly pairing: Pairing;
  readonly companions: Companions;
  readonly conversations: ConversationsDoor;
  readonly commerce: CommerceDoor;
  readonly outbox: Outbox;
  readonly privacy: Privacy;
  /** What was asked of the workers: there are none here. */
  readonly upkeep: readonly { readonly name: string; readonly id: string; readonly payload: unknown }[];
  readonly liveBell: LiveBell;
  readonly monitoring: Monitoring;
  readonly app: FastifyInstance;
  readonly port: number;
  ask(method: string, path: string, more?: Asking): Promise<Answer>;
  close(): Promise<void>;
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a string or bytes as they are, with the headers that are given. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Throws where the answer is no JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface World extends ApiProcess {
  readonly db: TestDatabase;
  /** A further process on the same database, with the same master key. */
  openProcess(changes?: WorldChanges): Promise<ApiProcess>;
  addWorkspace(name: string): Promise<WorkspaceId>;
  /** A key that may do everything that a key may. */
  addKey(workspaceId: WorkspaceId, scopes?: readonly string[]): Promise<Record<string, string>>;
  addPerson(workspaceId: WorkspaceId, role: MemberRole): Promise<Person>;
  addAccount(workspaceId: WorkspaceId): Promise<{ readonly id: AccountId; readonly token: string }>;
}

export interface Person {
  readonly id: PersonId;
  readonly email: string;
  /** Headers of a browser that has logged in, on our own pages. */
  logIn(): Promise<Record<string, string>>;
}

export const allScopes = resources.flatMap((resource) => [`${resource}:read`, `${resource}:write`]);

/** What a test has otherwise than the rest. */
export type WorldChanges = Partial<ApiDeps> & { readonly mailer?: Mailer | null };

export async function openWorld(changes: WorldChanges = {}): Promise<World> {
  const db = await testDatabase();
  const sealer = createSealer(parseKeyring(keyText(randomBytes(32))));
  const processes: ApiProcess[] = [];
  const openProcess = async (more: WorldChanges = {}) => {
    const opened = await startProcess(db, sealer, { ...changes, ...more });
    processes.push(opened);
    return opened;
  };
  const first = await openProcess();
  const { workspaces, accounts } = first;
  return {
    ...first,
    db,
    openProcess,
    async addWorkspace(name) {
      return taken(await workspaces.create(name)).id;
    },
    async addKey(workspaceId, scopes = allScopes) {
      const { secret } = taken(await workspaces.createApiKey(workspaceId, { name: 'test', scopes }));
      return { authorization: `Bearer ${secret}` };
    },
    addPerson: (workspaceId, role) => addPerson(first, workspaceId, role),
    addAccount: async (workspaceId) => {
      const made = taken(await accounts.create(workspaceId, { ...metaAccount(), isActive: true }));
      return { id: made.account.id, token: made.token };
    },
    async close() {
      for (const opened of processes.splice(0)) await opened.close();
      await db.close();
    },
  };
}

let numbers = 200_000_000_000;

/** What a Meta account needs, with ids of its own. */
export function metaAccount() {
  numbers += 1;
  return {
    provider: 'meta' as const,
    name: `Desk ${numbers}`,
    settings: { phoneNumberId: `${numbers}`, wabaId: `9${numbers}` },
    secrets: { accessToken: 'an access token', appSecret: 'an app secret', verifyToken: 'a verify token' },
  };
}

async function addPerson(process: ApiProcess, workspaceId: WorkspaceId, role: MemberRole): Promise<Person> {
  const email = `${randomBytes(5).toString('hex')}@example.com`;
  const { id } = taken(await process.workspaces.addPerson({ email, name: role, password }));
  await process.workspaces.addMember(workspaceId, id, role);
  return {
    id,
    email,
    async logIn() {
      const answer = await process.ask('POST', '/api/v1/session', { headers: ownPage, body: { email, password } });
      return { ...ownPage, cookie: cookieOf(answer) };
    },
  };
}

/** What a browser says on one of our own pages. */
export const ownPage = { 'sec-fetch-site': 'same-origin' } as const;

export function cookieOf(answer: Answer): string {
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  return cookie.split(';')[0] ?? '';
}

/** A port that nothing listens on: the provider of a test that has none. */
const nobodyThere = { baseUrl: 'http://127.0.0.1:9', reach: anywhere, timeouts: defaultSendTimeouts };

async function startProcess(
  db: TestDatabase,
  sealer: Sealer,
  { mailer = null, ...changes }: WorldChanges,
): Promise<ApiProcess> {
  const log: Log = changes.log ?? silentLog;
  const engines = await createPostgresEngines({ connectionString: db.urls.app, log });
  const clock = systemClock;
  const liveBell = createLiveBell(engines.doorbell, log);
  const noteChange = liveBell.noteAfterCommit;
  const publicUrl = 'https://hooks.example.com';
  const base = { storage: db.storage, engines, sealer, clock, log, noteChange, publicUrl };
  const rules = {
    ...base,
    passwords: createPasswords(),
    counters: engines.counters,
    mailer,
    ...(changes.clock ? { clock: changes.clock } : {}),
  };
  const workspaces = createWorkspaces(rules);
  const people = createPeople(rules);
  const accounts = createAccounts({ ...base, channels });
  const providerWebhooks = createProviderWebhooks({ ...base, accounts, channels, networkOf: () => nobodyThere });
  const outbox = createOutbox({ doorbell: engines.doorbell, providerIdsKnown: async () => {}, noteChange, log });
  const networkOf = (account: ServingAccount) => ({
    baseUrl: account.settings.baseUrl ?? '',
    timeouts: defaultSendTimeouts,
    reach: anywhere,
  });
  const pairing = createPairing({ ...base, accounts, channels, networkOf });
  const companions = createCompanions({ ...base, accounts });
  const receiver = createReceiver({ storage: db.storage, log });
  const monitoring = createMonitoring({
    ...{ ...base, accounts, channels, mailer: null, callOut: createCallOut(anywhere) },
    appSecrets: { meta: [], instagram: [] },
    store: (delivery) => receiver.receive(delivery),
  });
  const privacy = createPrivacy({ ...base, workspaces, channels, companions });
  const dropDays = async () => ({ dropped: [], keptDays: [] });
  const retention = createRetention({ ...base, workspaces, dropDays });
  const upkeep: { name: string; id: string; payload: unknown }[] = [];
  const rooms = {
    privacy,
    monitoring,
    workspaces,
    people,
    accounts,
    providerWebhooks,
    pairing,
    companions,
    conversations: createConversations(),
    commerce: createCommerce(),
    outbox,
  };
  const deps: ApiDeps = {
    ...base,
    ...rooms,
    flows: createFlows(),
    retention,
    upkeep: async (name, id, payload) => void upkeep.push({ name, id, payload }),
    isSlowingReads: () => false,
    capabilitiesOf: (provider) => channels[provider].capabilities,
    fieldsOf: (provider) => channels[provider].fields,
    version: '0.0.0',
    isProxyTrusted: false,
    consoleFolder: undefined,
    unready: async () => [],
    metrics: async () => '',
    ...changes,
  };
  let server: Server | undefined;
  const app = await createApi(deps, (handler) => {
    server = createServer(handler);
    return server;
  });
  await app.ready();
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = app.server.address() as AddressInfo;
  return {
    ...{ engines, sealer, liveBell, app, port },
    ...rooms,
    upkeep,
    ask: (method, path, more) => ask(port, method, path, more),
    async close() {
      await app.close();
      await accounts.close();
      await liveBell.close();
      await engines.close();
    },
  };
}

function ask(port: number, method: string, path: string, { headers = {}, body }: Asking = {}): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const sent = body === undefined || isRaw ? body : JSON.stringify(body);
  const length = sent === undefined ? {} : { 'content-length': Buffer.byteLength(sent) };
  const type = sent === undefined || isRaw ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, headers: { ...length, ...type, ...headers }, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece: string) => {
          text += piece;
        });
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text,
            json: <T>() => JSON.parse(text) as T,
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(sent);
  });
}

export function taken<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: { code: string } },
): Value {
  if (!result.ok) throw new Error(result.refusal.code);
  return result.value;
}
