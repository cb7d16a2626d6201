import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { newId, silentLog } from '#kernel';
import { createPostgresEngines, type Engines, type LiveTopic } from '#storage';
import { listen, stopListening } from '../../test/api/listening.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createLiveHub, type LiveHub, type LiveLimits, liveLimits } from './live-hub.ts';

let db: TestDatabase;
let engines: Engines;
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};
const hubs: LiveHub[] = [];

beforeAll(async () => {
  db = await testDatabase();
  engines = await createPostgresEngines({ connectionString: db.urls.app, log: silentLog });
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  stopListening();
  for (const hub of hubs.splice(0)) await hub.close();
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await engines.close();
  await db.close();
});

const workspaceId = newId('workspace');
const all: ReadonlySet<LiveTopic> = new Set(['message', 'account']);

/** A hub whose streams have the right that `topics` gives. */
async function openHub(topics: () => Promise<ReadonlySet<LiveTopic> | null>, limits: Partial<LiveLimits> = {}) {
  const hub = await createLiveHub({ engines, log: silentLog }, { ...liveLimits, ...limits });
  hubs.push(hub);
  answer = (_request, response) => {
    try {
      hub.open({ workspaceId, holder: 'session 1', topics }, all, { isReturning: false, take: () => response });
    } catch {
      response.writeHead(503).end();
    }
  };
  return hub;
}

const port = () => (server.address() as AddressInfo).port;
const quick = { checkMs: 10 };

it('ends a stream whose right has ended, or of which nobody can say', async () => {
  let right: ReadonlySet<LiveTopic> | null = all;
  await openHub(async () => right, quick);
  const revoked = await listen(port(), {});
  expect(revoked.isEnded).toBe(false);
  right = null;
  await vi.waitFor(() => expect(revoked.isEnded).toBe(true));

  await openHub(() => Promise.reject(new Error('struck')), quick);
  const unknown = await listen(port(), {});
  await vi.waitFor(() => expect(unknown.isEnded).toBe(true));
});

it('tells no more of what may be read no more', async () => {
  let asked = 0;
  await openHub(async () => {
    asked += 1;
    return new Set(['account']);
  }, quick);
  const stream = await listen(port(), {});
  await vi.waitFor(() => expect(asked).toBeGreaterThan(1));
  await engines.doorbell.ring('live', { workspace: workspaceId, message: 'msg_1', account: 'acc_1' });
  await vi.waitFor(() => expect(stream.changes()).toEqual([{ topic: 'account', id: 'acc_1' }]));
});

it('takes as many streams of a workspace as it says, and one more once one has gone', async () => {
  await openHub(async () => all, { maxStreamsPerWorkspace: 2 });
  await listen(port(), {});
  await listen(port(), {});
  expect((await listen(port(), {})).status).toBe(503);
  stopListening();
  await vi.waitFor(async () => expect((await listen(port(), {})).status).toBe(200));
});

it('ends every stream when it closes', async () => {
  const hub = await openHub(async () => all);
  const stream = await listen(port(), {});
  await hub.close();
  await vi.waitFor(() => expect(stream.isEnded).toBe(true));
});
