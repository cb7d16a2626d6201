import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Provider, WorkspaceId } from '@switchyard/contract';
import { type Absence, type Accounts, createAccounts, type NewAccount } from '#accounts';
import { type Channel, evolutionChannel, instagramChannel, metaChannel, twilioChannel, webjsChannel } from '#channels';
import { createGateway, type GatewaySettings, listenerLimits } from '#gateway';
import { createReceiver, unpackArrivals } from '#inbox';
import { silentLog, systemClock } from '#kernel';
import {
  createPasswords,
  createPostgresEngines,
  createSealer,
  type Engines,
  keyText,
  parseKeyring,
  type Sealer,
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

export const publicUrl = 'https://hooks.example.com';
export const operatorAppSecret = 'the operators app secret';
export const operatorVerifyToken = 'the operators verify token';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Stored {
  readonly id: string;
  readonly workspaceId: string;
  readonly accountId: string | null;
  readonly routeKind: string;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly secretsSealed: Buffer | null;
  readonly isAuthenticated: boolean;
  readonly isTest: boolean;
  readonly shard: number;
  readonly position: string;
  readonly afterPosition: string;
}

/** The gateway as it stands in the server: real database, real engines, its own listener. */
export interface World {
  readonly db: TestDatabase;
  readonly engines: Engines;
  readonly sealer: Sealer;
  readonly accounts: Accounts;
  readonly workspaces: Workspaces;
  readonly port: number;
  readonly workspaceId: WorkspaceId;
  /** Of accounts that were connected again. */
  readonly absences: readonly Absence[];
  /** Set by a test: deliveries are refused. */
  readonly pressure: { isRefusing: boolean };
  /** What was answered 503 for, newest last. */
  readonly unavailable: readonly unknown[];
  connect(account: Partial<NewAccount> & Pick<NewAccount, 'provider'>, workspaceId?: WorkspaceId): Promise<Connected>;
  send(path: string, options?: Sending): Promise<Answer>;
  /** All deliveries, oldest first. */
  stored(): Promise<Stored[]>;
  close(): Promise<void>;
}

export interface Connected {
  readonly id: NonNullable<NewAccount['id']>;
  readonly token: string;
  readonly path: string;
}

export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** No Content-Length. */
  readonly isChunked?: boolean;
}

export async function openWorld(settings: Partial<GatewaySettings> = {}): Promise<World> {
  const db = await testDatabase();
  const engines = await createPostgresEngines({ connectionString: db.urls.app, log: silentLog });
  const sealer = createSealer(parseKeyring(keyText(randomBytes(32))));
  const clock = systemClock;
  const absences: Absence[] = [];
  const accounts = createAccounts({
    ...{ storage: db.storage, engines, sealer, channels, publicUrl, clock, log: silentLog, noteChange: () => {} },
    returned: async (_tx, absence) => void absences.push(absence),
  });
  const workspaces = createWorkspaces({
    ...{ storage: db.storage, passwords: createPasswords(), counters: engines.counters, clock },
  });
  const receiver = createReceiver({ storage: db.storage, log: silentLog });
  const pressure = { isRefusing: false };
  const unavailable: unknown[] = [];
  const gateway = createGateway({
    ...{ accounts, channels, receiver, sealer, counters: engines.counters, clock, log: silentLog },
    settings: { ...defaultSettings, ...settings },
    operatorWorkspace: async () => (await workspaces.operatorWorkspace()).id,
    authenticateKey: (key) => workspaces.findByKey(key),
    isRefusing: () => pressure.isRefusing,
    noteUnavailable: (error) => void unavailable.push(error),
  });
  const server = createServer(listenerLimits, (req, res) => {
    if (gateway.handles(req.url ?? '')) gateway.handle(req, res);
    else res.writeHead(418).end();
  });
  const port = await listen(server);
  const made = await workspaces.create('A shop');
  if (!made.ok) throw new Error(made.refusal.code);
  const workspaceId = made.value.id;
  return {
    ...{ db, engines, sealer, accounts, workspaces, port, workspaceId, absences },
    async connect(account, inWorkspace = workspaceId) {
      const result = await accounts.create(inWorkspace, newAccount(account));
      if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.detail}`);
      const { account: summary, token, webhookUrl } = result.value;
      return { id: summary.id, token, path: new URL(webhookUrl).pathname };
    },
    pressure,
    unavailable,
    send: (path, options) => send(port, path, options),
    async stored() {
      await unpackArrivals({ storage: db.storage, log: silentLog });
      return db.ownerQuery<Stored & Record<string, unknown>>(storedDeliveries);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await receiver.close();
      await accounts.close();
      await engines.close();
      await db.close();
    },
  };
}

const storedDeliveries = `
  SELECT d.id, d.workspace_id AS "workspaceId", d.account_id AS "accountId", d.route_kind AS "routeKind", d.target,
    d.headers, d.body, d.secrets_sealed AS "secretsSealed", d.is_authenticated AS "isAuthenticated",
    d.is_test AS "isTest", i.shard, i.position, i.after_position AS "afterPosition"
  FROM deliveries d JOIN inbox i USING (workspace_id, id) ORDER BY d.id`;

const defaultSettings: GatewaySettings = {
  publicUrl,
  isProxyTrusted: false,
  v2WebhookPath: '/whatsapp-v2/webhook',
  metaAppSecrets: ['an older secret', operatorAppSecret],
  metaVerifyTokens: [operatorVerifyToken],
  instagramAppSecrets: [],
  instagramVerifyTokens: [],
};

const secretsByProvider: Readonly<Record<Provider, Record<string, string>>> = {
  meta: { accessToken: 'an access token', appSecret: 'an app secret', verifyToken: 'a verify token' },
  instagram: { accessToken: 'an access token', appSecret: 'an app secret', verifyToken: 'another verify token' },
  twilio: { authToken: 'an auth token' },
  evolution: { apiKey: 'AN-INSTANCE-KEY' },
  webjs: { webhookKey: 'a shared key' },
};

let numbers = 100_000_000_000;

/** What a provider's account needs at least, with ids of its own. */
function newAccount(wanted: Partial<NewAccount> & Pick<NewAccount, 'provider'>): NewAccount {
  numbers += 1;
  const settings: Readonly<Record<Provider, Record<string, string>>> = {
    meta: { phoneNumberId: `${numbers}`, wabaId: `9${numbers}` },
    instagram: { instagramId: `${numbers}` },
    twilio: { accountSid: `AC${String(numbers).padStart(32, '0')}`, sender: `whatsapp:+${numbers}` },
    evolution: { instance: `instance-${numbers}` },
    webjs: { session: `session-${numbers}` },
  };
  return {
    isActive: true,
    ...wanted,
    settings: { ...settings[wanted.provider], ...wanted.settings },
    secrets: wanted.secrets ?? secretsByProvider[wanted.provider],
  };
}

export function metaSignature(body: Uint8Array | string, secret = 'an app secret'): Record<string, string> {
  return { 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}

/** The documented envelope with one text in it. */
export function metaBody(phoneNumberId: string, text = 'hola', wabaId = '102290129340398'): string {
  const message = { from: '16505551234', id: `wamid.${randomBytes(9).toString('hex')}`, timestamp: '1749416383' };
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550783881', phone_number_id: phoneNumberId },
    contacts: [{ profile: { name: 'A customer' }, wa_id: '16505551234' }],
    messages: [{ ...message, type: 'text', text: { body: text } }],
  };
  const entry = [{ id: wabaId, changes: [{ field: 'messages', value }] }];
  return JSON.stringify({ object: 'whatsapp_business_account', entry });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function send(port: number, path: string, options: Sending = {}): Promise<Answer> {
  const { method = 'POST', headers = {}, body, isChunked = false } = options;
  const length = body === undefined || isChunked ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, path, method, headers: { ...length, ...headers }, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      answer.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
