import { expect, test, vi } from 'vitest';
import { silentLog } from './log.ts';
import { reconnectLimits } from './reconnect.ts';
import type { Lease, ServerClient } from './server-client.ts';
import { Session } from './session.ts';
import type { WebClient, WebEvent } from './web-client.ts';

const account = { id: 'acc', workspaceId: 'w', session: 'first', generation: 1, isLeased: true };
const lease: Lease = { fence: 1, leaseMs: 60_000, webhookUrl: '/hook', webhookKey: 'hook', apiKey: null };
const never = new Promise<never>(() => undefined);

/** A session whose connections are opened one after another; what it posted, and the say of each connection. */
function stage(stopGraceMs = 10_000) {
  const posted: string[] = [];
  const says: ((event: WebEvent) => void)[] = [];
  const done = () => Promise.resolve();
  const server: ServerClient = {
    ...{ listActive: async () => [], takeLease: async () => lease, renewLease: async () => null, giveBackLease: done },
    ...{ readState: async () => ({}), writeState: done, clearState: done, broadcast: done },
    postWebhook: async (_keys, body) => {
      posted.push((JSON.parse(body) as { payload: string }).payload);
    },
  };
  const close = vi.fn(done);
  const unused = () => Promise.reject(new Error('not asked for here'));
  const client: WebClient = { send: unused, markRead: unused, isOnWhatsApp: unused, logOut: done, close };
  const session = new Session({
    ...{ account, lease, server, log: silentLog, lost: () => undefined },
    ...{ nowMs: Date.now, elapsedMs: () => performance.now(), random: () => 0, newId: () => 'id' },
    limits: { pairingMs: 60_000, stopGraceMs, reconnect: { ...reconnectLimits, firstWaitMs: 1 } },
    openClient: async ({ onEvent }) => {
      says.push(onEvent);
      return client;
    },
  });
  return { session, posted, says };
}

const photo = (whole: Promise<unknown>): WebEvent => ({
  ...{ kind: 'news', event: 'messages.upsert', chat: 'ana', payload: 'photo', whole },
});
const text = (payload: string): WebEvent => ({ kind: 'news', event: 'messages.upsert', chat: 'ana', payload });

async function opened(at: ReturnType<typeof stage>): Promise<(event: WebEvent) => void> {
  at.session.start();
  await vi.waitFor(() => expect(at.says).toHaveLength(1));
  const [say] = at.says;
  say!({ kind: 'open', phoneNumber: '+15550001111', name: null });
  return say!;
}

test('a message whose file is being fetched is told after the connection has closed and come back', async () => {
  const at = stage();
  const say = await opened(at);
  const file = Promise.withResolvers<unknown>();
  say(photo(file.promise));
  say({ kind: 'closed', reason: 'lost', detail: 'cut' });
  await vi.waitFor(() => expect(at.says).toHaveLength(2));
  at.says[1]!({ kind: 'open', phoneNumber: '+15550001111', name: null });
  at.says[1]!(text('after'));
  // What the library had taken before the close may be told after it.
  say(text('the last of the one before'));
  file.resolve('photo with bytes');
  await vi.waitFor(() => expect(at.posted).toEqual(['photo with bytes', 'after', 'the last of the one before']));
  await at.session.stop();
});

test('one that stops waits for the file, and tells the message without it where it does not come', async () => {
  const at = stage(60_000);
  const say = await opened(at);
  const file = Promise.withResolvers<unknown>();
  say(photo(file.promise));
  const stopped = at.session.stop();
  file.resolve('photo with bytes');
  await stopped;
  expect(at.posted).toEqual(['photo with bytes']);

  const hasty = stage(200);
  (await opened(hasty))(photo(never));
  await hasty.session.stop();
  expect(hasty.posted).toEqual(['photo']);
});

test('one that has lost its lease tells nothing any more', async () => {
  const at = stage();
  const say = await opened(at);
  const file = Promise.withResolvers<unknown>();
  say(photo(file.promise));
  await at.session.abandon();
  file.resolve('photo with bytes');
  say(text('after'));
  await new Promise(setImmediate);
  expect(at.posted).toEqual([]);
});
