/** Secrets that are known when they turn up: planted through the doors, and used in every way that might tell of them. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { codeOf, resources, stepAt } from '#workspaces';
import { bytesOfBase32 } from '../base32.ts';
import type { WholeProduct } from '../whole.ts';

export const canary = (name: string) => `canary-${name}-${randomBytes(12).toString('hex')}`;

/** In the environment of the product: it must be planted before the start. */
export const smtpPassword = canary('smtp');
export const settings = {
  SWITCHYARD_LOG: 'debug',
  OUTBOUND_ALLOWED: '127.0.0.1',
  SMTP_URL: `smtp://mailer:${smtpPassword}@127.0.0.1:9`,
  MAIL_FROM: 'switchyard@example.com',
  TRUST_PROXY: '1',
};

export interface Planted {
  /** By what it is. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly workspaceSlug: string;
  readonly accountId: string;
  /** Headers of a program with a key that may do everything, and of a person who is logged in. */
  readonly asKey: Readonly<Record<string, string>>;
  readonly asPerson: Readonly<Record<string, string>>;
  readonly appSecret: string;
  readonly webhookPath: string;
  /** Posts a signed message of Meta's; the answer's status. */
  post(message: { readonly id: string; readonly from: string; readonly path?: string }): Promise<number>;
  /** The access tokens that the provider was shown, newest last. */
  readonly shown: readonly string[];
  close(): Promise<void>;
}

const phoneNumberId = '300400500600';
const own = { 'sec-fetch-site': 'same-origin' };

export async function plant(product: WholeProduct): Promise<Planted> {
  const shown: string[] = [];
  const provider = await startProvider(shown);
  const ask = asking(product.url);
  const run = async <Document>(...args: readonly string[]): Promise<Document> => {
    const { status, stdout, stderr } = await product.command(...args, '--json');
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout) as Document;
  };
  await run('workspace', 'create', 'Secrets', '--slug', 'secrets');
  const ofShop = ['--workspace', 'secrets'] as const;
  const scopes = resources.flatMap((resource) => [`${resource}:read`, `${resource}:write`]).join(',');
  const [key, companionKey, invited] = await Promise.all([
    run<{ key: string }>('api-key', 'create', ...ofShop, '--scopes', scopes),
    run<object>('companion-key', 'create', 'machines', ...ofShop),
    run<{ link: string }>('member', 'invite', 'owner@example.com', ...ofShop, '--role', 'owner'),
  ]);
  const asKey = { authorization: `Bearer ${key.key}` };
  const password = canary('password');
  const invitation = invited.link.split('#')[1] ?? '';
  await ask('POST', '/invitations/accept', own, { token: invitation, name: 'Owner', password });
  const person = await logInWithFactor(product.url, password);
  const secrets = { accessToken: canary('access'), appSecret: canary('app'), verifyToken: canary('verify') };
  const account = await ask<{ id: string; token: string; webhookUrl: string }>('POST', '/accounts', asKey, {
    ...{ provider: 'meta', phoneNumber: '+15550108001', isActive: true, secrets },
    settings: { phoneNumberId, wabaId: '1', baseUrl: provider.url, messagesPerSecond: '1000' },
  });
  const others = await plantOthers(ask, asKey, provider.url);
  const target = await ask<{ secret: string }>('POST', '/monitoring/alarm-targets', asKey, {
    ...{ kind: 'webhook', address: 'https://example.com/hook' },
  });
  const header = canary('header');
  const webhookPath = new URL(account.webhookUrl).pathname;
  return {
    workspaceSlug: 'secrets',
    secrets: {
      ...{ ...secrets, ...others, ...person.secrets, password, invitation, header, smtpPassword },
      ...{ webhookToken: account.token, apiKey: key.key, alarmSecret: target.secret },
      companionKey: secretOf(companionKey),
      ...(await keptInFiles(product.dataFolder)),
    },
    accountId: account.id,
    asKey,
    asPerson: person.headers,
    appSecret: secrets.appSecret,
    webhookPath,
    async post({ id, from, path = webhookPath }) {
      const body = messageBody(id, from);
      const signature = createHmac('sha256', secrets.appSecret).update(body).digest('hex');
      const headers = { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` };
      // Kept sealed beside the delivery, as an Evolution server's key is.
      const answer = await fetch(product.url + path, { method: 'POST', headers: { ...headers, apikey: header }, body });
      await answer.arrayBuffer();
      return answer.status;
    },
    shown,
    close: provider.close,
  };
}

function secretOf(made: object): string {
  const found = Object.values(made).find((value) => typeof value === 'string' && /\.[\w-]{20,}$/.test(value));
  if (typeof found !== 'string') throw new Error('a companion key was made without its secret');
  return found.split('.')[1] ?? '';
}

/** The master key and the database's password, as they lie in files that only the owner reads. */
async function keptInFiles(folder: string): Promise<Record<string, string>> {
  const keys = (await readFile(join(folder, 'master.key'), 'utf8')).trim();
  const databasePassword = (await readFile(join(folder, 'postgres-password'), 'utf8')).trim();
  return { masterKey: keys.split(',')[0]?.split(':')[1] ?? '', databasePassword };
}

export type Ask = <Answer = unknown>(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
) => Promise<Answer>;

export function asking(url: string): Ask {
  return async <Answer>(method: string, path: string, headers: Readonly<Record<string, string>>, body?: unknown) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/v1${path}`, { method, headers: { ...headers, ...type }, ...sent });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return (text ? JSON.parse(text) : undefined) as Answer;
  };
}

/** A wrong password first; then the right one, a second factor, and its codes. */
async function logInWithFactor(url: string, password: string) {
  const ask = asking(url);
  const email = 'owner@example.com';
  const wrong = canary('wrong-password');
  await ask('POST', '/session', own, { email, password: wrong }).catch(() => undefined);
  const cookie = await cookieFor(url, { email, password });
  const headers = { ...own, cookie };
  const { secret } = await ask<{ secret: string }>('POST', '/second-factor', headers);
  const code = codeOf(bytesOfBase32(secret), stepAt(new Date()));
  const { codes } = await ask<{ codes: readonly string[] }>('POST', '/second-factor/confirm', headers, { code });
  const step = await ask<{ stepToken: string }>('POST', '/session', own, { email, password });
  const [recoveryCode = '', unused = ''] = codes;
  await ask('POST', '/session/code', own, { stepToken: step.stepToken, code: recoveryCode });
  const session = cookie.split('=')[1] ?? '';
  const { stepToken } = step;
  return { headers, secrets: { wrong, session, totp: secret, recoveryCode, unusedRecoveryCode: unused, stepToken } };
}

/** The cookie is in the answer's headers only. */
async function cookieFor(url: string, given: object): Promise<string> {
  const headers = { ...own, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/v1/session`, { method: 'POST', headers, body: JSON.stringify(given) });
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

async function plantOthers(ask: Ask, headers: Readonly<Record<string, string>>, baseUrl: string) {
  const secrets = {
    ...{
      authToken: canary('twilio'),
      evolutionKey: canary('evolution'),
      evolutionWebhook: canary('evolution-webhook'),
    },
    ...{ webhookKey: canary('webjs-webhook'), companionApiKey: canary('webjs') },
  };
  const add = (account: object) => ask('POST', '/accounts', headers, account);
  const sid = 'AC00000000000000000000000000000777';
  await add({
    ...{ provider: 'twilio', phoneNumber: '+15550108002', secrets: { authToken: secrets.authToken } },
    settings: { accountSid: sid, sender: 'whatsapp:+15550108002', baseUrl },
  });
  await add({
    ...{ provider: 'evolution', settings: { instance: 'canaries', baseUrl } },
    secrets: { apiKey: secrets.evolutionKey, webhookSecret: secrets.evolutionWebhook },
  });
  await add({
    ...{ provider: 'webjs', settings: { session: 'canaries', baseUrl } },
    secrets: { webhookKey: secrets.webhookKey, apiKey: secrets.companionApiKey },
  });
  return secrets;
}

/** Takes every other message, and refuses the rest with the words of a provider. */
async function startProvider(shown: string[]) {
  const server = createServer((incoming, outgoing) => {
    shown.push(String(incoming.headers.authorization ?? '').replace('Bearer ', ''));
    incoming.resume();
    const taken = { messages: [{ id: `wamid.OUT${shown.length}` }] };
    const refused = { error: { code: 131026, message: 'Message undeliverable' } };
    const isTaken = shown.length % 2 === 0;
    outgoing.writeHead(isTaken ? 200 : 400, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify(isTaken ? taken : refused));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function messageBody(id: string, from: string): string {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550108001', phone_number_id: phoneNumberId },
    contacts: [{ profile: { name: 'A customer' }, wa_id: from }],
    messages: [{ from, id, timestamp, type: 'text', text: { body: 'hola' } }],
  };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '1', changes: [{ field: 'messages', value }] }],
  });
}
