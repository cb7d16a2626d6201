/** A customer writes to a number of a stand-in provider; who looks at that shop sees it, in whichever process. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toPublicId, type WorkspaceId } from '@switchyard/contract';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createFlows } from '#flows';
import { createGateway } from '#gateway';
import { createDrain, createReceiver, type NudgeableDrain, type Receiver, releaseParked } from '#inbox';
import { silentLog, systemClock } from '#kernel';
import { createPipeline } from '#pipeline';
import { startSimulator } from '../../../simulator/src/index.ts';
import { listen, stopListening } from './listening.ts';
import { type ApiProcess, channels, metaAccount, openWorld, taken, type World } from './world.ts';

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

let world: World;
let other: ApiProcess;
let simulator: Simulator;
let walk: { readonly port: number; close(): Promise<void> };

beforeAll(async () => {
  world = await openWorld();
  other = await world.openProcess();
  simulator = await startSimulator();
  walk = await startWalk();
});
afterAll(async () => {
  await simulator.close();
  await walk.close();
  await world.close();
});
afterEach(stopListening);

/** Gateway and drain of the first process. */
async function startWalk() {
  const { engines, accounts, sealer } = world;
  let drain: NudgeableDrain | undefined;
  const receiver = createReceiver({ storage: world.db.storage, log: silentLog, stored: () => drain?.nudge() });
  const server = createServer(createHandler(receiver));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  drain = startDrain();
  return { port: (server.address() as AddressInfo).port, close: () => stop(server, receiver, drain) };

  function createHandler(stored: Receiver) {
    const gateway = createGateway({
      isRefusing: () => false,
      ...{ accounts, channels, receiver: stored, sealer, counters: engines.counters },
      ...{ clock: systemClock, log: silentLog },
      settings: {
        publicUrl: undefined,
        isProxyTrusted: false,
        v2WebhookPath: '/whatsapp-v2/webhook',
        metaAppSecrets: [],
        metaVerifyTokens: [],
        instagramAppSecrets: [],
        instagramVerifyTokens: [],
      },
      operatorWorkspace: async () => (await world.workspaces.operatorWorkspace()).id,
      authenticateKey: async () => null,
    });
    return gateway.handle.bind(gateway);
  }
}

async function stop(server: Server, receiver: Receiver, drain: NudgeableDrain | undefined): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await receiver.close();
  await drain?.stop(1_000);
}

function startDrain(): NudgeableDrain {
  const { engines, accounts, conversations, outbox, commerce } = world;
  const noteChange = world.liveBell.noteAfterCommit;
  const drain = createDrain({
    ...{ storage: world.db.storage, engines, accounts, channels, noteChange, clock: systemClock, log: silentLog },
    effects: {
      openConversations: async (tx, messages, isNew) => {
        const correspondents = messages.map(({ account, event: { customer } }) => ({ ...account, customer }));
        const opened = await conversations.resolveWanted(tx, correspondents, isNew);
        return opened.map((one) => one?.conversationId ?? null);
      },
      applyReceipt: (tx, account, eventId, event) => outbox.applyReceipt(tx, account.accountId, eventId, event),
      applyAccountEvent: (tx, account, event) => accounts.applyEvent(tx, account.accountId, event),
      noteChange,
    },
    pipeline: createPipeline({ outbox, conversations, flows: createFlows(), commerce, clock: systemClock }),
    findServing: accounts.findServing,
    loadConversations: conversations.loadConversations,
    capabilitiesOf: (account) => channels[account.provider].capabilities,
    releaseParked: (tx, known) => releaseParked(tx, outbox.applyReceipt, known),
    applyReceipt: outbox.applyReceipt,
    worker: 'test',
    leaseMs: 30_000,
  });
  drain.start();
  return drain;
}

/** A workspace with one number, known to the stand-in. */
async function openShop(name: string, number: string) {
  const workspaceId = await world.addWorkspace(name);
  const account = metaAccount();
  const made = taken(await world.accounts.create(workspaceId, { ...account, isActive: true }));
  const answer = await control('PUT', 'numbers', {
    provider: 'meta',
    number,
    name,
    webhookUrl: `http://127.0.0.1:${walk.port}/webhooks/meta/whatsapp/${made.token}`,
    ids: account.settings,
    secrets: account.secrets,
  });
  expect(answer.status).toBe(200);
  return { workspaceId, number, key: await world.addKey(workspaceId) };
}

function control(method: string, path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${simulator.urls.phone}/control/${path}`, { method, headers, body: JSON.stringify(body) });
}

async function customerWrites(number: string, text: string): Promise<void> {
  const content = { type: 'text', text };
  const answer = await control('POST', 'inbound', { provider: 'meta', number, from: '15550199001', content });
  expect(await answer.json()).toMatchObject({ outcome: 'posted', status: 200 });
}

async function idsOf(workspaceId: WorkspaceId) {
  const [row] = await world.db.ownerQuery<{ deliveryId: never; conversationId: never; messageId: never }>(
    `SELECT e.delivery_id AS "deliveryId", e.conversation_id AS "conversationId", o.message_id AS "messageId"
     FROM events e JOIN outbox o ON o.workspace_id = e.workspace_id AND o.turn_id = e.turn_id
     WHERE e.workspace_id = $1 ORDER BY o.ordinal LIMIT 1`,
    [workspaceId],
  );
  return row;
}

it('tells of the delivery, the conversation and the reply, in both processes, and tells nobody else', async () => {
  const north = await openShop('North', '+15550100901');
  const south = await openShop('South', '+15550100902');
  const streams = await Promise.all([listen(world.port, north.key), listen(other.port, north.key)]);
  const foreign = await listen(other.port, south.key);
  await customerWrites(north.number, 'hola');
  const ids = await vi.waitFor(async () => {
    const found = await idsOf(north.workspaceId);
    expect(found).toBeDefined();
    return found!;
  }, 10_000);
  const expected = [
    { topic: 'delivery', id: toPublicId('delivery', ids.deliveryId) },
    { topic: 'conversation', id: toPublicId('conversation', ids.conversationId) },
    { topic: 'message', id: toPublicId('message', ids.messageId) },
  ];
  for (const stream of streams)
    await vi.waitFor(() => expect(stream.changes()).toEqual(expect.arrayContaining(expected)), 5_000);

  await customerWrites(south.number, 'hello');
  await vi.waitFor(() => expect(foreign.changes().length).toBeGreaterThan(0), 10_000);
  for (const change of expected) expect(foreign.changes()).not.toContainEqual(change);
});
