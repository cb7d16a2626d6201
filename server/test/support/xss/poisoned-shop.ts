/** A workspace in which every text that anybody may store is hostile, stored through the doors that people and providers use. */
import { createHmac } from 'node:crypto';
import { expect } from 'vitest';
import { resources } from '#workspaces';
import type { WholeProduct } from '../whole.ts';
import { packer, payloads } from './payloads.ts';

export interface PoisonedShop {
  readonly login: { readonly email: string; readonly password: string };
  readonly accountIds: Readonly<Record<'meta' | 'evolution' | 'webjs', string>>;
  /** Of an invitation that is still open. */
  readonly invitationLink: string;
  ask<Answer = unknown>(method: string, path: string, body?: unknown): Promise<Answer>;
}

type Pack = (room: number) => string;

const appSecret = 'the app secret of a shop';
const phoneNumberId = '200300400500';
const password = 'a password of ten';
/** A thread shows fifty messages at first: these, and an answer to each. */
const messagesEach = 25;
export const customers = Math.ceil(payloads.length / messagesEach);

export async function poisonShop(product: WholeProduct, providerUrl: string): Promise<PoisonedShop> {
  const pack = packer();
  const run = async <Document>(...args: readonly string[]): Promise<Document> => {
    const { status, stdout, stderr } = await product.command(...args, '--json');
    if (status !== 0) throw new Error(`${args.join(' ').slice(0, 80)}: ${stderr}`);
    return JSON.parse(stdout) as Document;
  };
  await run('workspace', 'create', pack(100), '--slug', 'poisoned');
  const scopes = resources.flatMap((resource) => [`${resource}:read`, `${resource}:write`]).join(',');
  const ofShop = ['--workspace', 'poisoned'] as const;
  const login = { email: 'owner@example.com', password };
  const [key, invited] = await Promise.all([
    run<{ key: string }>('api-key', 'create', ...ofShop, '--name', pack(500), '--scopes', scopes),
    run<{ link: string }>('member', 'invite', login.email, ...ofShop, '--role', 'owner'),
  ]);
  const ask = asking(product.url, key.key);
  await accept(product.url, invited.link, pack(200));
  const accounts = await addAccounts(ask, pack, providerUrl);
  const { accountIds, webhookPath } = accounts;
  await Promise.all([
    writeMessages(product.url, webhookPath, pack),
    addPeople(product.url, ask, pack),
    addKeys(ask, pack),
    addAlarms(ask, pack, accountIds.meta),
    moveConnection(ask, pack, accountIds.webjs),
    logInFromOddBrowsers(product.url, login, pack),
    ask('PATCH', '/retention', { deliveryDays: 13 }),
  ]);
  const { link } = await ask<{ link: string }>('POST', '/invitations', { email: 'invited@example.com', role: 'agent' });
  return { login, accountIds, invitationLink: link, ask };
}

type Ask = PoisonedShop['ask'];

function asking(url: string, secret: string): Ask {
  return async <Answer>(method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${secret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return (text ? JSON.parse(text) : undefined) as Answer;
  };
}

async function postAsPage(url: string, path: string, body: unknown, more: Record<string, string> = {}): Promise<void> {
  const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...more };
  const answer = await fetch(`${url}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect([path, answer.ok]).toEqual([path, true]);
}

/** In a person's name. */
function accept(url: string, link: string, name: string): Promise<void> {
  return postAsPage(url, '/invitations/accept', { token: link.split('#')[1], name, password });
}

async function addAccounts(ask: Ask, pack: Pack, baseUrl: string) {
  const texts = () => ({
    ...{ name: pack(200), businessName: pack(200), isActive: true },
    metadata: { [pack(60)]: pack(1000) },
  });
  const add = (account: object) =>
    ask<{ id: string; webhookUrl: string }>('POST', '/accounts', { ...texts(), ...account });
  const [meta, evolution, webjs, instagram] = [
    await add({
      ...{ provider: 'meta', phoneNumber: '+15550107001', settings: { phoneNumberId, wabaId: '1', baseUrl } },
      secrets: { accessToken: 'x', appSecret },
    }),
    await add({
      ...{ provider: 'evolution', settings: { instance: pack(1000), baseUrl } },
      secrets: { apiKey: 'x' },
      secretEnds: { apiKey: new Date(Date.now() + 3_600_000).toISOString() },
    }),
    await add({
      ...{ provider: 'webjs', settings: { session: pack(1000) }, secrets: { webhookKey: 'x', apiKey: 'y' } },
      phoneNumber: '+15550107003',
    }),
    await add({
      provider: 'instagram',
      settings: { instagramId: '"><svg/onload=__xss(1)>' },
      secrets: { accessToken: 'x' },
    }),
  ];
  await ask('DELETE', `/accounts/${instagram!.id}`);
  const webhookPath = new URL(meta!.webhookUrl).pathname;
  return { webhookPath, accountIds: { meta: meta!.id, evolution: evolution!.id, webjs: webjs!.id } };
}

/** As Meta would: every payload as a message of its own, names, files, cards, taps, and receipts that tell of errors. */
async function writeMessages(url: string, path: string, pack: Pack): Promise<void> {
  const post = async (body: string) => {
    const signature = createHmac('sha256', appSecret).update(body).digest('hex');
    const headers = {
      ...{ 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
      'user-agent': payloads
        .filter((payload) => /^[\x20-\x7e]+$/.test(payload))
        .slice(0, 100)
        .join(' '),
    };
    const answer = await fetch(`${url}${path}?${encodeURIComponent(pack(300))}`, { method: 'POST', headers, body });
    expect([answer.status, body.slice(0, 60)]).toEqual([200, body.slice(0, 60)]);
  };
  const everyPayload = Array.from({ length: customers }, (_, customer) => {
    const said = payloads.slice(customer * messagesEach, (customer + 1) * messagesEach);
    const messages = said.map((text) => ({ type: 'text', text: { body: text } }));
    return { customer, profileName: said.join(' '), messages };
  });
  await post(delivery(everyPayload));
  await post(delivery([{ customer: customers, profileName: pack(1000), messages: oddMessages(pack) }]));
  await post(accountNews(pack));
  await post(`not JSON at all ${payloads.join(' ')}`);
}

let serial = 0;

interface Said {
  readonly customer: number;
  readonly profileName: string;
  readonly messages: readonly object[];
}

function delivery(said: readonly Said[]): string {
  return envelope('messages', said.map(changeOf));
}

function changeOf({ customer, profileName, messages }: Said): object {
  const from = String(4_915_500_100_000 + customer);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550107001', phone_number_id: phoneNumberId },
    contacts: [{ profile: { name: profileName }, wa_id: from }],
    messages: messages.map((message) => {
      serial += 1;
      return { from, id: `wamid.IN${serial}.${payloads[serial % payloads.length]}`, timestamp, ...message };
    }),
  };
}

function envelope(field: string, values: readonly object[]): string {
  const changes = values.map((value) => ({ field, value }));
  return JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '1', changes }] });
}

function oddMessages(pack: Pack): readonly object[] {
  const url = `https://files.example/${payloads[0]}`;
  const file = { id: pack(200), mime_type: pack(90), filename: pack(240), caption: pack(900), url };
  const script = { ...file, url: payloads.find((payload) => payload.startsWith('javascript:')) };
  const errors = [{ code: 131051, title: pack(200), error_data: { details: pack(500) } }];
  return [
    { type: 'document', document: file },
    { type: 'document', document: script },
    { type: 'image', image: script },
    { type: 'sticker', sticker: { ...script, url: payloads.find((payload) => payload.startsWith('data:text')) } },
    { type: 'location', location: { latitude: 1, longitude: 2, name: pack(500), address: pack(500), url: script.url } },
    {
      type: 'contacts',
      contacts: [
        {
          name: { formatted_name: pack(500) },
          org: { company: pack(500) },
          phones: [{ phone: pack(200) }],
          emails: [{ email: pack(200) }],
        },
      ],
    },
    { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: pack(200), title: pack(500) } } },
    {
      type: 'interactive',
      interactive: { type: 'list_reply', list_reply: { id: pack(200), title: pack(500), description: pack(500) } },
    },
    {
      type: 'interactive',
      interactive: {
        type: 'nfm_reply',
        nfm_reply: { name: pack(200), body: pack(500), response_json: JSON.stringify({ x: pack(500) }) },
      },
    },
    { type: 'button', button: { payload: pack(200), text: pack(500) } },
    {
      type: 'order',
      order: {
        catalog_id: pack(90),
        text: pack(500),
        product_items: [{ product_retailer_id: pack(300), quantity: 1, item_price: 1, currency: pack(60) }],
      },
    },
    { type: 'system', system: { type: pack(90), body: pack(500) } },
    { type: 'unsupported', unsupported: { type: pack(90) }, errors },
    { type: pack(90) },
    {
      type: 'text',
      text: { body: pack(4000) },
      context: { id: pack(90) },
      referral: { source_url: script.url, headline: pack(500), body: pack(500) },
    },
  ];
}

function accountNews(pack: Pack): string {
  const message_template_name = pack(300);
  return envelope('message_template_status_update', [{ event: pack(90), message_template_name, reason: pack(900) }]);
}

async function addPeople(url: string, ask: Ask, pack: Pack): Promise<void> {
  await Promise.all(
    ['agent', 'viewer', 'admin'].map(async (role) => {
      const email = `xss'${role}+__xss@example.com`;
      const { link } = await ask<{ link: string }>('POST', '/invitations', { email, role });
      await accept(url, link, pack(200));
    }),
  );
}

/** The list shows fifty. */
async function addKeys(ask: Ask, pack: Pack): Promise<void> {
  for (let made = 0; made < 49; made += 1) await ask('POST', '/api-keys', { name: pack(100), scopes: ['read'] });
}

/** One that cannot be reached, told a test; and a canary that comes back with the provider's words. */
async function addAlarms(ask: Ask, pack: Pack, accountId: string): Promise<void> {
  const address = `http://127.0.0.1:9/${payloads
    .filter((payload) => !/\s/.test(payload))
    .slice(0, 45)
    .join('')}`;
  const { id } = await ask<{ id: string }>('POST', '/monitoring/alarm-targets', {
    kind: 'webhook',
    address: address.slice(0, 1_990),
  });
  await ask('POST', `/monitoring/alarm-targets/${id}/test`);
  await ask('POST', '/monitoring/alarm-targets', { kind: 'webhook', address: `https://example.com/#${pack(900)}` });
  await ask('POST', `/monitoring/numbers/${accountId}/canary`);
}

async function moveConnection(ask: Ask, pack: Pack, accountId: string): Promise<void> {
  for (let moves = 0; moves < 10; moves += 1) {
    await ask('POST', `/accounts/${accountId}/reconnect`, { reason: pack(300) });
    await ask('POST', `/accounts/${accountId}/disconnect`, { reason: pack(300) });
  }
}

async function logInFromOddBrowsers(url: string, login: PoisonedShop['login'], pack: Pack): Promise<void> {
  for (let browsers = 0; browsers < 3; browsers += 1) {
    const userAgent = pack(500).replaceAll(/[^\x20-\x7e]/g, '');
    await postAsPage(url, '/session', login, { 'user-agent': userAgent });
  }
}
