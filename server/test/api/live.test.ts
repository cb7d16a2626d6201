/** Event streams: who hears what, after which gap, and when a stream ends. */
import { randomBytes } from 'node:crypto';
import { type ClientRequest, request } from 'node:http';
import { toPublicId } from '@switchyard/contract';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { silentLog } from '#kernel';
import { createLiveBell, liveBellLimits, parseLiveRing } from '#storage';
import { type Furnished, furnish } from './furnish.ts';
import { type ApiProcess, openWorld, type World } from './world.ts';

let world: World;
let other: ApiProcess;
let ours: Furnished;
let theirs: Furnished;
let key: Record<string, string>;
let theirKey: Record<string, string>;

beforeAll(async () => {
  world = await openWorld();
  other = await world.openProcess();
  ours = await furnish(world, 'ours');
  theirs = await furnish(world, 'theirs');
  key = await world.addKey(ours.workspaceId);
  theirKey = await world.addKey(theirs.workspaceId);
});
afterAll(() => world.close());
afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

interface Heard {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}
interface Listening {
  readonly status: number;
  readonly heard: Heard[];
  ended: boolean;
}
const open: ClientRequest[] = [];

/** As a browser's EventSource reads it. */
async function listen(at: ApiProcess, headers: Record<string, string>, path = '/api/v1/events'): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: at.port, path, headers, agent: false }, (answer) => {
      const listening: Listening = { status: answer.statusCode ?? 0, heard: [], ended: false };
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
        const frames = text.split('\n\n');
        text = frames.pop() ?? '';
        listening.heard.push(...frames.flatMap(readFrame));
        resolve(listening);
      });
      answer.on('error', () => undefined);
      answer.on('close', () => {
        listening.ended = true;
        resolve(listening);
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
    open.push(outgoing);
  });
}

function readFrame(frame: string): Heard[] {
  const fields = Object.fromEntries(frame.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
  return fields.event ? [{ event: fields.event, data: fields.data, id: fields.id }] : [];
}

const changes = (listening: Listening) =>
  listening.heard.filter(({ event }) => event === 'change').map(({ data }) => JSON.parse(data) as unknown);

function write(at: ApiProcess, shop: Furnished, headers: Record<string, string>) {
  return at.ask('POST', `/api/v1/conversations/${shop.ids.conversation}/messages`, {
    headers,
    body: { content: { type: 'text', text: randomBytes(4).toString('hex') } },
  });
}

describe('a stream', () => {
  it('tells of a change in its workspace, made in any process, and of none elsewhere', async () => {
    const here = await listen(world, key);
    const there = await listen(other, key);
    const foreign = await listen(other, theirKey);
    expect([here.status, here.heard[0]?.event]).toEqual([200, 'hello']);
    const { id } = (await write(world, ours, key)).json();
    const expected = [
      { topic: 'message', id },
      { topic: 'conversation', id: ours.ids.conversation },
    ];
    await vi.waitFor(() => {
      expect(changes(here)).toEqual(expect.arrayContaining(expected));
      expect(changes(there)).toEqual(expect.arrayContaining(expected));
    });
    const theirMessage = (await write(other, theirs, theirKey)).json().id;
    await vi.waitFor(() => expect(changes(foreign)).toContainEqual({ topic: 'message', id: theirMessage }));
    expect(changes(foreign)).not.toEqual(expect.arrayContaining(expected));
    expect(JSON.stringify([...here.heard, ...there.heard])).not.toContain(theirMessage);
  });

  it('tells a browser that comes back to read everything anew', async () => {
    const back = await listen(world, { ...key, 'last-event-id': '7' });
    expect(back.heard[0]).toEqual({ event: 'reset', data: '{}', id: '1' });
  });

  it('tells its browser to read everything anew after a gap', async () => {
    const listening = await listen(world, key);
    const foreign = await listen(other, theirKey);
    await world.db.ownerQuery(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'switchyard doorbell' AND datname = current_database()`,
    );
    await vi.waitFor(() => {
      for (const { heard } of [listening, foreign]) expect(heard.map(({ event }) => event)).toContain('reset');
    }, 10_000);
    const { id } = (await write(other, ours, key)).json();
    await vi.waitFor(() => expect(changes(listening)).toContainEqual({ topic: 'message', id }), 5_000);
  });

  it('tells nothing of what its listener may not read', async () => {
    const reader = await listen(world, await world.addKey(ours.workspaceId, ['accounts:read']));
    const all = await listen(world, key);
    const { id } = (await write(world, ours, key)).json();
    const name = randomBytes(4).toString('hex');
    await world.ask('PATCH', `/api/v1/accounts/${ours.ids.account}`, { headers: key, body: { name } });
    await vi.waitFor(() => expect(changes(reader)).toContainEqual({ topic: 'account', id: ours.ids.account }));
    await vi.waitFor(() => expect(changes(all)).toContainEqual({ topic: 'message', id }));
    expect(changes(reader)).toEqual([{ topic: 'account', id: ours.ids.account }]);
    const blind = await listen(world, await world.addKey(ours.workspaceId, ['catalogue:read']));
    expect(blind.status).toBe(403);
  });

  it('is for nobody without a session or a key', async () => {
    expect((await listen(world, {})).status).toBe(401);
    expect((await listen(world, { cookie: 'switchyard=nothing' })).status).toBe(401);
  });

  it('ends with the log-out, in the other processes too', async () => {
    const headers = await (await world.addPerson(ours.workspaceId, 'agent')).logIn();
    const here = await listen(world, headers);
    const there = await listen(other, headers, `/api/v1/events?workspace=${toPublicId('workspace', ours.workspaceId)}`);
    const stays = await listen(other, key);
    expect(there.status).toBe(200);
    await world.ask('DELETE', '/api/v1/session', { headers });
    await vi.waitFor(() => expect([here.ended, there.ended]).toEqual([true, true]));
    expect(stays.ended).toBe(false);
  });

  it('ends when its key is revoked', async () => {
    const made = await world.ask('POST', '/api/v1/api-keys', { headers: key, body: { name: 'x', scopes: ['read'] } });
    const { id, secret } = made.json<{ id: string; secret: string }>();
    const listening = await listen(other, { authorization: `Bearer ${secret}` });
    await world.ask('DELETE', `/api/v1/api-keys/${id}`, { headers: key });
    await vi.waitFor(() => expect(listening.ended).toBe(true));
  });
});

describe('the bell', () => {
  function ringing() {
    const rings: Record<string, string | number | null>[] = [];
    const doorbell = {
      async ring(_topic: string, payload: Readonly<Record<string, string | number | null>> = {}) {
        rings.push({ ...payload });
      },
    };
    return { rings, bell: createLiveBell(doorbell, silentLog) };
  }

  it('rings once a window and workspace, and each id once', async () => {
    const { rings, bell } = ringing();
    for (let time = 0; time < 50; time += 1) {
      bell.note(ours.workspaceId, 'message', ours.messageId);
      bell.note(ours.workspaceId, 'account', ours.accountId);
      bell.note(theirs.workspaceId, 'message', theirs.messageId);
    }
    await bell.close();
    expect(rings).toEqual([
      { workspace: ours.workspaceId, message: ours.ids.message, account: ours.ids.account },
      { workspace: theirs.workspaceId, message: theirs.ids.message },
    ]);
  });

  it('says `*` for more than are named, and stays under the size of a ring', async () => {
    const { rings, bell } = ringing();
    const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
    for (const topic of ['delivery', 'conversation', 'account'] as const)
      for (let n = 0; n < liveBellLimits.maxIdsPerTopic; n += 1) bell.note(ours.workspaceId, topic, id(n) as never);
    for (let n = 0; n < 500; n += 1) bell.note(ours.workspaceId, 'message', id(n) as never);
    await bell.close();
    expect(rings).toHaveLength(1);
    expect(Buffer.byteLength(JSON.stringify(rings[0]))).toBeLessThanOrEqual(4_000);
    const heard = parseLiveRing(rings[0] ?? {});
    expect(heard?.events.filter(({ topic }) => topic === 'message')).toEqual([{ topic: 'message', id: '*' }]);
    expect(heard?.events).toHaveLength(61);
  });

  it('gives up naming workspaces when there are too many, and begins anew in the next window', async () => {
    const { rings, bell } = ringing();
    for (let n = 0; n <= liveBellLimits.maxWorkspaces; n += 1)
      bell.note(`00000000-0000-7000-8000-${String(n).padStart(12, '0')}` as never, 'message', ours.messageId);
    await bell.close();
    expect(rings).toEqual([{ workspace: '*' }]);
    expect(parseLiveRing({ workspace: '*' })).toEqual({ workspace: '*', events: [] });
  });

  it('throws nothing when the doorbell does', async () => {
    const bell = createLiveBell({ ring: () => Promise.reject(new Error('struck')) }, silentLog);
    bell.note(ours.workspaceId, 'message', ours.messageId);
    await expect(bell.close()).resolves.toBeUndefined();
  });

  it('says nothing of a transaction that was rolled back', async () => {
    const { rings, bell } = ringing();
    const undone = world.db.storage.inWorkspace(ours.workspaceId, async (tx) => {
      bell.noteAfterCommit(tx, 'message', [ours.messageId]);
      throw new Error('struck');
    });
    await expect(undone).rejects.toThrow('struck');
    await world.db.storage.inWorkspace(ours.workspaceId, async (tx) =>
      bell.noteAfterCommit(tx, 'account', [ours.accountId]),
    );
    await bell.close();
    expect(rings).toEqual([{ workspace: ours.workspaceId, account: ours.ids.account }]);
  });
});
