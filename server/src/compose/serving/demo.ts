/**
 * The demo: a workspace with a small shop, a person to log in as, one account for each kind of provider, and the
 * stand-ins that play those providers. Made at the first start, found again at every later one.
 */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure, Provider, WorkspaceId } from '@switchyard/contract';
import type { NewAccount } from '#accounts';
import type { Result } from '#kernel';
import type { Product } from '../rooms.ts';

export interface DemoLogin {
  readonly email: string;
  readonly password: string;
}

/** Where the stand-ins listen; compose/simulator.ts starts them there. */
export interface SimulatorUrls {
  readonly phone: string;
  readonly graph: string;
  readonly twilio: string;
  readonly evolution: string;
  readonly webjs: string;
}

interface DemoAccount {
  readonly account: NewAccount & { readonly name: string };
  readonly number: string;
  readonly version?: 'v1' | 'v2';
  /** Setting or secret of ours → the stand-in's word for it. */
  readonly ids: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

const slug = 'demo';
const loginFile = 'demo-log-in.json';

/** Makes what is missing; safe to call at every start. */
export async function seedDemo(product: Product, urls: SimulatorUrls): Promise<DemoLogin> {
  const { workspaces, foundation, commerce } = product;
  const workspace = (await workspaces.find(slug)) ?? taken(await workspaces.create('Demo shop', { slug }));
  const login = await demoLogin(product, workspace.id);
  await foundation.storage.inWorkspace(workspace.id, (tx) => commerce.seedDemoCatalogue(tx));
  const existing = new Set((await product.accounts.list(workspace.id)).map((account) => account.name));
  for (const { account } of demoAccounts(urls)) {
    if (!existing.has(account.name)) taken(await product.accounts.create(workspace.id, { ...account, isActive: true }));
  }
  return login;
}

/** Tells the stand-ins which numbers there are, where their webhooks go and which secrets sign them. */
export async function registerDemoNumbers(product: Product, urls: SimulatorUrls): Promise<void> {
  const workspace = await product.workspaces.find(slug);
  if (!workspace) return;
  const accounts = await product.accounts.list(workspace.id);
  for (const demo of demoAccounts(urls)) {
    const found = accounts.find((account) => account.name === demo.account.name);
    const serving = found && (await product.accounts.findServing(workspace.id, found.id));
    if (!serving?.webhookUrl) continue;
    const named = (names: Readonly<Record<string, string>>, values: Readonly<Record<string, string>>) =>
      Object.fromEntries(
        Object.entries(names).flatMap(([ours, theirs]) => (values[ours] ? [[theirs, values[ours]]] : [])),
      );
    const body = {
      provider: demo.account.provider,
      number: demo.number,
      name: demo.account.name,
      webhookUrl: serving.webhookUrl,
      ids: named(demo.ids, serving.settings),
      secrets: { ...named(demo.secrets, serving.secrets), ...named({ accountSid: 'accountSid' }, serving.settings) },
      ...(demo.version ? { version: demo.version } : {}),
    };
    const answer = await fetch(`${urls.phone}/control/numbers`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok)
      throw new Error(`the stand-in refused ${demo.account.name}: ${answer.status} ${await answer.text()}`);
  }
}

async function demoLogin(product: Product, workspaceId: WorkspaceId): Promise<DemoLogin> {
  const path = join(product.config.dataFolder, loginFile);
  const kept = await readFile(path, 'utf8').then(JSON.parse, () => null);
  if (kept !== null) return kept as DemoLogin;
  const login = { email: 'demo@switchyard.local', password: randomBytes(9).toString('base64url') };
  const person = taken(await product.workspaces.addPerson({ ...login, name: 'Demo', isOperator: true }));
  await product.workspaces.addMember(workspaceId, person.id, 'owner');
  await writeFile(path, JSON.stringify(login), { mode: 0o600 });
  return login;
}

function taken<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(`the demo could not be made: ${result.refusal.detail}`);
  return result.value;
}

const secret = () => randomBytes(16).toString('hex');

/** Numbers are of a range that is nobody's. */
function demoAccounts(urls: SimulatorUrls): readonly DemoAccount[] {
  const account = (provider: Provider, name: string, more: Omit<NewAccount, 'provider' | 'name'>) => ({
    provider,
    name,
    ...more,
  });
  return [
    {
      account: account('meta', 'Demo on WhatsApp Cloud API', {
        phoneNumber: '+15550100101',
        settings: { phoneNumberId: '100000000000101', wabaId: '100000000000100', baseUrl: urls.graph },
        secrets: { accessToken: secret(), appSecret: secret(), verifyToken: secret() },
      }),
      number: '+15550100101',
      ids: { phoneNumberId: 'phoneNumberId', wabaId: 'wabaId' },
      secrets: { accessToken: 'accessToken', appSecret: 'appSecret', verifyToken: 'verifyToken' },
    },
    {
      account: account('instagram', 'Demo on Instagram', {
        settings: { instagramId: '17840000000000101', baseUrl: urls.graph },
        secrets: { accessToken: secret(), appSecret: secret(), verifyToken: secret() },
      }),
      number: 'demo.shop',
      ids: { instagramId: 'instagramId' },
      secrets: { accessToken: 'accessToken', appSecret: 'appSecret', verifyToken: 'verifyToken' },
    },
    {
      account: account('twilio', 'Demo on Twilio', {
        phoneNumber: '+15550100102',
        settings: {
          accountSid: 'AC00000000000000000000000000000102',
          sender: 'whatsapp:+15550100102',
          baseUrl: urls.twilio,
        },
        secrets: { authToken: secret() },
      }),
      number: '+15550100102',
      ids: {},
      secrets: { authToken: 'authToken' },
    },
    {
      account: account('evolution', 'Demo on Evolution API v2', {
        phoneNumber: '+15550100103',
        settings: { instance: 'demo-shop', baseUrl: urls.evolution, version: 'v2' },
        secrets: { apiKey: secret(), webhookSecret: secret() },
      }),
      number: '+15550100103',
      version: 'v2',
      ids: { instance: 'instance' },
      secrets: { apiKey: 'apiKey', webhookSecret: 'webhookSecret' },
    },
    {
      account: account('evolution', 'Demo on Evolution API v1', {
        phoneNumber: '+15550100104',
        settings: { instance: 'demo-shop-v1', baseUrl: `${urls.evolution}/v1`, version: 'v1' },
        secrets: { apiKey: secret() },
      }),
      number: '+15550100104',
      version: 'v1',
      ids: { instance: 'instance' },
      secrets: { apiKey: 'apiKey' },
    },
    {
      account: account('webjs', 'Demo on the web companion', {
        phoneNumber: '+15550100105',
        settings: { session: 'demo-session', baseUrl: urls.webjs },
        secrets: { webhookKey: secret(), apiKey: secret() },
      }),
      number: '+15550100105',
      ids: { session: 'session' },
      secrets: { webhookKey: 'hmacKey', apiKey: 'apiKey' },
    },
  ];
}
