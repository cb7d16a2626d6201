/** A process that falls over what nobody caught: it ends, says so in one line, and another one goes on where it was. */
import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openProduct } from '#compose';
import { parseConfig } from '#config';
import { silentLog } from '#kernel';
import type { Row } from '#storage';
import { type MetaTarget, metaBody } from '../../../tools/bench/meta-body.ts';
import { freePorts } from '../../../tools/free-ports.ts';
import { type ProviderServer, startProviderServer } from '../outbox/provider-server.ts';
import { type Ended, type RunningSwitchyard, startSwitchyard } from '../support/switchyard-process.ts';

const ways = ['exception', 'rejection', 'memory'] as const;
const customersEach = 6;
const nothingOpen = { arrivals: 0, stored: 0, shards: 0, pending: 0, due: 0, leased: 0, queued: 0 };

interface Falling {
  readonly way: (typeof ways)[number];
  readonly port: number;
  readonly server: RunningSwitchyard;
}

let home: string;
let provider: ProviderServer;
let product: Awaited<ReturnType<typeof openProduct>>;
let settings: Record<string, string>;
let target: MetaTarget;
let workspaceId: WorkspaceId;
let falling: readonly Falling[];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'switchyard-falls-'));
  // The database's own system user must be able to pass through.
  chmodSync(home, 0o755);
  provider = await startProviderServer();
  settings = {
    ...{ SWITCHYARD_DATA: home, SWITCHYARD_DEMO: '0', META_GRAPH_URL: provider.baseUrl, ROLES: 'gateway,worker' },
    ...{ INBOX_LEASE_MS: '1000', SEND_TIMEOUT_MS: '1000', UNCERTAIN_WAIT_MS: '1000' },
  };
  product = await openProduct(parseConfig(settings), silentLog);
  target = await openShop();
  const first = await freePorts(ways.length);
  falling = await Promise.all(ways.map((way, index) => startFalling(way, first + index)));
});

afterAll(async () => {
  for (const { server } of falling ?? []) await server.end('SIGKILL');
  await product?.close();
  await provider?.[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

it('ends with a status that is not 0 and with one line, and nothing is lost, double, half-written or leased for ever', async () => {
  const acknowledged: string[] = [];
  for (const [index, one] of falling.entries()) {
    const customers = Array.from({ length: customersEach }, (_, number) =>
      String(34_600_000_000 + index * 100 + number),
    );
    const fallen = fallOverSendTo(one, customers);
    const answers = await Promise.all(customers.map((from) => post(one.port, from)));
    acknowledged.push(...customers.filter((_, number) => answers[number] === 200));
    expectFallen(one, await fallen);
  }
  expect(acknowledged.length).toBeGreaterThan(0);
  const [drain, dispatcher] = [product.createDrain(), product.createDispatcher()];
  product.outbox.attach(dispatcher);
  drain.start();
  dispatcher.start();
  try {
    await expect.poll(openWork, { timeout: 30_000 }).toEqual(nothingOpen);
    await expectOnce(acknowledged);
  } finally {
    await Promise.all([drain.stop(5_000), dispatcher.stop(5_000)]);
  }
});

/** The process is told to fall when a reply to one of them has reached the provider, who then says nothing to it. */
function fallOverSendTo({ server }: Falling, customers: readonly string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  let isTold = false;
  provider.behave(({ to }, answer) => {
    if (isTold || !customers.includes(to.replace('+', ''))) return answer.accept();
    isTold = true;
    void server.end('SIGUSR2').then(resolve);
  });
  return promise;
}

function expectFallen({ way }: Falling, { status, stderr }: Ended): void {
  expect(status).not.toBe(0);
  if (way === 'memory') {
    // V8 ends the process itself, by its own words.
    expect(stderr).toContain('heap out of memory');
    return;
  }
  expect(status).toBe(1);
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    err: { message: 'a bug that nobody caught' },
    origin: way === 'exception' ? 'uncaughtException' : 'unhandledRejection',
  });
}

/** Of each message that was acknowledged one turn and its replies; of each reply one request at most. */
async function expectOnce(acknowledged: readonly string[]): Promise<void> {
  const turns = await ask<{ payload: string; replies: number }>(
    `SELECT e.payload::text, (SELECT count(*)::int FROM outbox o WHERE o.turn_id = e.turn_id) AS replies
       FROM events e WHERE e.kind = 'message' AND e.state = 'handled'`,
  );
  for (const from of acknowledged) {
    const own = turns.filter(({ payload }) => payload.includes(from));
    expect(own, from).toHaveLength(1);
    expect(own[0]!.replies, from).toBeGreaterThan(0);
  }
  const replies = await ask<{ state: string; tries: readonly string[] }>(
    'SELECT o.state, array(SELECT a.id::text FROM attempts a WHERE a.outbound_id = o.id) AS tries FROM outbox o',
  );
  for (const { state, tries } of replies) {
    expect(['sent', 'uncertain']).toContain(state);
    const requests = provider.requests.filter(({ attemptId }) => tries.includes(attemptId));
    expect(requests.length).toBeLessThanOrEqual(1);
    if (state === 'sent') expect(requests).toHaveLength(1);
  }
}

async function openWork() {
  const { storage } = product.foundation;
  const [queues] = await storage.asWorker((tx) =>
    tx.query<Record<'arrivals' | 'stored' | 'shards', number>>(
      `SELECT (SELECT count(*)::int FROM arrivals) AS arrivals,
         (SELECT count(*)::int FROM inbox WHERE state = 'stored') AS stored,
         (SELECT count(*)::int FROM inbox_shards WHERE leased_by IS NOT NULL AND leased_until < now()) AS shards`,
    ),
  );
  const [own] = await ask<Record<'pending' | 'due' | 'leased' | 'queued', number>>(
    `SELECT (SELECT count(*)::int FROM events WHERE state = 'pending') AS pending,
       (SELECT count(*)::int FROM conversations WHERE next_due_at IS NOT NULL) AS due,
       (SELECT count(*)::int FROM conversations WHERE leased_until > now()) AS leased,
       (SELECT count(*)::int FROM outbox WHERE state IN ('queued', 'claimed', 'sending')) AS queued`,
  );
  return { ...queues, ...own };
}

function ask<R extends Row>(text: string): Promise<R[]> {
  return product.foundation.storage.inWorkspace(workspaceId, (tx) => tx.query<R>(text));
}

async function openShop(): Promise<MetaTarget> {
  const made = await product.workspaces.create('Falls');
  if (!made.ok) throw new Error(made.refusal.detail);
  workspaceId = made.value.id;
  const phoneNumberId = '106540352242922';
  const appSecret = 'an-app-secret-of-falls';
  const added = await product.accounts.create(workspaceId, {
    ...{ provider: 'meta', phoneNumber: '+15550783881', isActive: true },
    settings: { phoneNumberId, wabaId: '102290129340398', messagesPerSecond: '1000' },
    secrets: { appSecret, accessToken: 'an-access-token' },
  });
  if (!added.ok) throw new Error(added.refusal.detail);
  const path = `/webhooks/meta/whatsapp/${added.value.token}`;
  return { path, appSecret, phoneNumberId, displayNumber: '15550783881' };
}

/** 0: it fell before it answered. */
async function post(port: number, from: string): Promise<number> {
  const body = metaBody(target, { id: `wamid.${from}`, from, seconds: Math.floor(Date.now() / 1_000), text: 'hola' });
  const signature = createHmac('sha256', target.appSecret).update(body).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` };
  return fetch(`http://127.0.0.1:${port}${target.path}`, { method: 'POST', headers, body }).then(
    ({ status }) => status,
    () => 0,
  );
}

async function startFalling(way: Falling['way'], port: number): Promise<Falling> {
  const fall = pathToFileURL(join(import.meta.dirname, '..', 'support', 'fall.ts')).href;
  const options = `--import ${fall} ${way === 'memory' ? '--max-old-space-size=192' : ''}`;
  return {
    way,
    port,
    server: await startSwitchyard({ ...settings, PORT: String(port), FALL: way, NODE_OPTIONS: options }),
  };
}
