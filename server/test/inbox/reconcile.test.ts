/** What a provider's webhooks did not bring is fetched from its own list, against the stand-ins of Twilio and Evolution. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewAccount } from '#accounts';
import {
  anywhere,
  closeProviderConnections,
  defaultSendTimeouts,
  evolutionChannel,
  instagramChannel,
  metaChannel,
  twilioChannel,
  webjsChannel,
} from '#channels';
import { type Receiver, type ReconcileDeps, type Reconciliation, reconcile } from '#inbox';
import { systemClock } from '#kernel';
import { type Simulator, startSimulator } from '../../../simulator/src/index.ts';
import { delivery, type InboxWorld, openInboxWorld } from './world.ts';

const channels = {
  meta: metaChannel,
  instagram: instagramChannel,
  twilio: twilioChannel,
  evolution: evolutionChannel,
  webjs: webjsChannel,
} as const;

let world: InboxWorld;
let simulator: Simulator;
let receiver: Receiver;
/** Takes webhooks and does nothing with them: our server, in its gap. */
let gap: Server;
let gapUrl: string;
const heard: { headers: Record<string, string>; body: Buffer }[] = [];

beforeAll(async () => {
  world = await openInboxWorld();
  simulator = await startSimulator({ settings: { retryTimeScale: 0 } });
  receiver = world.receiver();
  world.worker();
  gap = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      heard.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => gap.listen(0, '127.0.0.1', resolve));
  gapUrl = `http://127.0.0.1:${(gap.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  await receiver.close();
  await world.close();
  await closeProviderConnections();
  await simulator.close();
  gap.closeAllConnections();
  await new Promise((resolve) => gap.close(resolve));
});

const kinds = ['twilio', 'evolution v1', 'evolution v2'] as const;
let serial = 0;

interface Line {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
  readonly deps: ReconcileDeps;
  /** By Twilio's own interface, past us; gives the sid. */
  sends(text: string): Promise<string>;
  says(text: string): Promise<{ headers: Record<string, string>; body: Buffer }>;
  look(from: Date, until?: Date): Promise<Reconciliation>;
  texts(): Promise<readonly string[]>;
}

async function line(kind: (typeof kinds)[number]): Promise<Line> {
  serial += 1;
  const number = `+1415523${1000 + serial}`;
  const [provider = '', version = 'v2'] = kind.split(' ');
  const instance = `shop-${serial}`;
  const accountSid = `AC${String(serial).padStart(32, '0')}`;
  const account: NewAccount =
    provider === 'twilio'
      ? {
          provider: 'twilio',
          settings: { accountSid, sender: `whatsapp:${number}` },
          secrets: { authToken: 'tok' },
          isActive: true,
        }
      : { provider: 'evolution', settings: { instance, version }, secrets: { apiKey: 'key' }, isActive: true };
  const secrets = provider === 'twilio' ? { authToken: 'tok' } : { apiKey: 'key' };
  const ids = provider === 'twilio' ? { accountSid } : { instance };
  await control('PUT', 'numbers', { provider, number, version, webhookUrl: gapUrl, secrets, ids });
  const { workspaceId } = await world.shop();
  const accountId = await world.connect(workspaceId, account);
  const deps: ReconcileDeps = {
    storage: world.db.storage,
    channels,
    receiver,
    networkOf: () => ({
      baseUrl: provider === 'twilio' ? simulator.urls.twilio : simulator.urls.evolution,
      reach: anywhere,
      timeouts: defaultSendTimeouts,
    }),
    clock: systemClock,
  };
  return {
    workspaceId,
    accountId,
    deps,
    async sends(text) {
      const answer = await fetch(`${simulator.urls.twilio}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${accountSid}:tok`).toString('base64')}` },
        body: new URLSearchParams({ From: `whatsapp:${number}`, To: 'whatsapp:+34600111222', Body: text }),
      });
      return ((await answer.json()) as { sid: string }).sid;
    },
    async says(text) {
      const before = heard.length;
      await control('POST', 'inbound', {
        provider,
        number,
        from: '+34600111222',
        profileName: 'Lucía',
        content: { type: 'text', text },
      });
      return world.eventually(async () =>
        heard
          .slice(before)
          .find(({ body }) => body.toString().includes(encodeURIComponent(text)) || body.toString().includes(text)),
      );
    },
    async look(from, until = new Date(Date.now() + 60_000)) {
      const serving = await world.accounts.findServing(workspaceId, accountId);
      return reconcile(deps, {
        account: serving!,
        span: { from, until },
        reason: 'asked',
        signal: new AbortController().signal,
      });
    },
    async texts() {
      await world.settled();
      const rows = await world.db.ownerQuery<{ text: string }>(
        `SELECT text FROM messages WHERE workspace_id = $1 AND account_id = $2 AND direction = 'in' ORDER BY text`,
        [workspaceId, accountId],
      );
      return rows.map(({ text }) => text);
    },
  };
}

async function control(method: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${simulator.urls.phone}/control/${path}`, {
    ...{ method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

const hourAgo = () => new Date(Date.now() - 3_600_000);

describe.each(kinds)('%s', (kind) => {
  test('what a gap swallowed is there afterwards, once, marked as recovered; what had come is told apart by its key', async () => {
    const shop = await line(kind);
    const came = await shop.says('came-by-webhook');
    await receiver.receive(
      delivery({ ...shop, phoneNumberId: '', wabaId: '' }, came.body, {
        ...{
          provider: kind === 'twilio' ? 'twilio' : 'evolution',
          headers: { 'content-type': came.headers['content-type']! },
        },
      }),
    );
    expect(await shop.texts()).toEqual(['came-by-webhook']);
    await shop.says('swallowed-one');
    await shop.says('swallowed-two');
    expect(await shop.look(hourAgo())).toMatchObject({ listed: 3, recovered: 2 });
    expect(await shop.texts()).toEqual(['came-by-webhook', 'swallowed-one', 'swallowed-two']);
    const marked = await world.db.ownerQuery(
      `SELECT FROM deliveries WHERE workspace_id = $1 AND route_kind = 'recovered'`,
      [shop.workspaceId],
    );
    expect(marked).toHaveLength(2);
    expect(await shop.look(hourAgo())).toMatchObject({ recovered: 0 });
  });

  test('the webhook that comes after all changes nothing any more', async () => {
    const shop = await line(kind);
    const late = await shop.says('late-webhook');
    expect(await shop.look(hourAgo())).toMatchObject({ recovered: 1 });
    await world.settled();
    await receiver.receive(
      delivery({ ...shop, phoneNumberId: '', wabaId: '' }, late.body, {
        ...{
          provider: kind === 'twilio' ? 'twilio' : 'evolution',
          headers: { 'content-type': late.headers['content-type']! },
        },
      }),
    );
    expect(await shop.texts()).toEqual(['late-webhook']);
  });

  test('only the span is asked for', async () => {
    const shop = await line(kind);
    await shop.says('later');
    const until = new Date(Date.now() - 60_000);
    expect(await shop.look(hourAgo(), until)).toMatchObject({ listed: 0, recovered: 0 });
  });

  test('a provider that refuses is said to have, and nothing is claimed to be covered', async () => {
    const shop = await line(kind);
    const ended = await world.accounts.update(shop.workspaceId, shop.accountId, {
      secrets: kind === 'twilio' ? { authToken: 'wrong' } : { apiKey: 'wrong' },
    });
    expect(ended.ok).toBe(true);
    expect(await shop.look(hourAgo())).toMatchObject({
      state: 'failed',
      coveredFrom: null,
      recovered: 0,
      detail: expect.any(String),
    });
  });
});

describe('how far back it was possible to look', () => {
  test('Twilio keeps the whole span', async () => {
    const shop = await line('twilio');
    const from = hourAgo();
    expect(await shop.look(from)).toMatchObject({ state: 'complete', coveredFrom: from, detail: null });
  });

  test.each(['evolution v1', 'evolution v2'] as const)('%s: as far as its store shows', async (kind) => {
    const shop = await line(kind);
    const empty = await shop.look(hourAgo());
    expect(empty).toMatchObject({ state: 'partial', coveredFrom: null, detail: expect.stringContaining('perhaps') });
    await shop.says('the-first');
    const some = await shop.look(hourAgo());
    expect(some).toMatchObject({ state: 'partial', detail: expect.stringContaining('nothing from before') });
    expect(Date.now() - some.coveredFrom!.getTime()).toBeLessThan(60_000);
    const reached = new Date(Date.now() + 1_500);
    expect(await shop.look(reached, new Date(reached.getTime() + 1_000))).toMatchObject({
      state: 'complete',
      coveredFrom: reached,
    });
  });

  test('Meta tells nobody later', async () => {
    const { workspaceId, accountId } = await world.shop();
    const shop = await line('twilio');
    const account = await world.accounts.findServing(workspaceId, accountId);
    const span = { from: hourAgo(), until: new Date() };
    const signal = new AbortController().signal;
    expect(await reconcile(shop.deps, { account: account!, span, reason: 'downtime', signal })).toMatchObject({
      ...{ state: 'unsupported', coveredFrom: null, reason: 'downtime' },
    });
  });
});

test('pages are followed to the end, and what is stored is in the order in which it happened', async () => {
  const shop = await line('evolution v2');
  for (let at = 0; at < 7; at += 1) await shop.says(`paged-${at}`);
  const { listMessages } = evolutionChannel;
  const small: ReconcileDeps = {
    ...shop.deps,
    channels: {
      ...channels,
      evolution: {
        ...evolutionChannel,
        listMessages: (account, request, network) => listMessages!(account, { ...request, pageSize: 2 }, network),
      },
    },
  };
  const account = await world.accounts.findServing(shop.workspaceId, shop.accountId);
  const asked = { span: { from: hourAgo(), until: new Date(Date.now() + 60_000) }, reason: 'asked' } as const;
  expect(await reconcile(small, { account: account!, ...asked, signal: new AbortController().signal })).toMatchObject({
    listed: 7,
    recovered: 7,
  });
  expect(await shop.texts()).toHaveLength(7);
});

test('a receipt that was lost is found too; one of a message that another system sent is left alone', async () => {
  const shop = await line('twilio');
  await shop.says('hello');
  expect(await shop.look(hourAgo())).toMatchObject({ recovered: 1 });
  await world.settled();
  const [ours, theirs] = [await shop.sends('ours'), await shop.sends('theirs')];
  await world.db.ownerQuery(
    `UPDATE messages SET provider_message_id = $2, status = 'sent' WHERE id = (
       SELECT id FROM messages WHERE workspace_id = $1 AND direction = 'out' LIMIT 1)`,
    [shop.workspaceId, ours],
  );
  const found = await world.eventually(async () => {
    const look = await shop.look(hourAgo());
    return look.recovered > 0 && look;
  });
  expect(found.recovered).toBe(1);
  await world.settled();
  const waiting = await world.db.ownerQuery(`SELECT FROM events WHERE workspace_id = $1 AND state = 'parked'`, [
    shop.workspaceId,
  ]);
  expect([waiting.length, theirs]).toEqual([0, expect.stringMatching(/^SM/)]);
  const [message] = await world.db.ownerQuery('SELECT status FROM messages WHERE provider_message_id = $1', [ours]);
  expect(['sent', 'delivered', 'read']).toContain(message?.status);
});
