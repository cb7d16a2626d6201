/** `Idempotency-Key`: once, whatever is repeated, in whichever process, by whom. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ApiDeps, deleteOldKeys } from '#api';
import type { Outbox } from '#outbox';
import { CommitUnknown, type Storage } from '#storage';
import { type Furnished, furnish } from './furnish.ts';
import { type Answer, type ApiProcess, metaAccount, openWorld, type World } from './world.ts';

let world: World;
let other: ApiProcess;
let shop: Furnished;
let headers: Record<string, string>;
let keys = 0;
let key = '';

beforeAll(async () => {
  world = await openWorld();
  other = await world.openProcess();
  shop = await furnish(world, 'shop');
  headers = await world.addKey(shop.workspaceId);
});
afterAll(() => world.close());
beforeEach(() => {
  keys += 1;
  key = `key ${keys}`;
});

function write(text: string, at: ApiProcess = world, by = headers): Promise<Answer> {
  return at.ask('POST', `/api/v1/conversations/${shop.ids.conversation}/messages`, {
    headers: { ...by, 'idempotency-key': key },
    body: { content: { type: 'text', text } },
  });
}

async function queued(text: string): Promise<number> {
  const rows = await world.db.ownerQuery('SELECT 1 FROM messages WHERE text = $1', [text]);
  return rows.length;
}

it('gives the first answer again, in another process too, and does the thing once', async () => {
  const first = await write('once');
  const again = await write('once');
  const elsewhere = await write('once', other);
  expect(first.status).toBe(202);
  expect(first.headers['idempotency-replayed']).toBeUndefined();
  for (const repeated of [again, elsewhere]) {
    expect([repeated.status, repeated.text]).toEqual([first.status, first.text]);
    expect(repeated.headers['idempotency-replayed']).toBe('true');
    expect(repeated.headers['content-type']).toMatch(/^application\/json/);
  }
  expect(await queued('once')).toBe(1);
});

it('does the thing once when it is asked for at the same time in two processes', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => write('at once', n % 2 ? world : other)));
  expect(await queued('at once')).toBe(1);
  for (const answer of answers) {
    if (answer.status === 202) continue;
    expect([answer.status, answer.json().code, answer.headers['retry-after']]).toEqual([
      409,
      'idempotency-running',
      '1',
    ]);
  }
});

it('refuses the same key for another request', async () => {
  await write('one');
  const answer = await write('two');
  expect([answer.status, answer.json().code]).toEqual([422, 'idempotency-mismatch']);
  expect(await queued('two')).toBe(0);
});

it('takes the same key of another caller for another key', async () => {
  const first = await write('mine');
  const theirs = await write('mine', world, await world.addKey(shop.workspaceId));
  expect(theirs.json().id).not.toBe(first.json().id);
  const reader = await world.addKey(shop.workspaceId, ['read']);
  expect((await write('mine', world, reader)).status).toBe(403);
});

it('gives a refusal again that was decided, and forgets one that was not', async () => {
  const path = '/api/v1/conversations/nothing/messages';
  const asking = {
    headers: { ...headers, 'idempotency-key': key },
    body: { content: { type: 'text', text: 'to nobody' } },
  };
  await world.ask('POST', path, asking);
  const again = await world.ask('POST', path, asking);
  expect([again.status, again.headers['idempotency-replayed']]).toEqual([404, 'true']);
  expect(again.headers['content-type']).toBe('application/problem+json');

  const broken = await world.openProcess({
    conversations: {
      ...world.conversations,
      findSummary: () => Promise.reject(new Error('struck')),
    },
  });
  key = `${key} struck`;
  expect((await write('after a failure', broken)).status).toBe(500);
  expect((await write('after a failure')).status).toBe(202);
  expect(await queued('after a failure')).toBe(1);
});

it('does not do it again when the first ended without an answer, but says that nobody knows', async () => {
  await write('lost');
  await world.db.ownerQuery(
    `UPDATE idempotency_keys SET status = NULL, response = NULL, created_at = now() - interval '2 minutes' WHERE key = $1`,
    [key],
  );
  const answer = await write('lost');
  expect([answer.status, answer.json().code]).toEqual([409, 'idempotency-unsettled']);
  expect(await queued('lost')).toBe(1);
});

it('does not do it again when the answer to the first commit was lost', async () => {
  const broken = await world.openProcess(losingAnswers());
  const first = await write('commit unknown', broken);
  expect([first.status, first.json().code]).toEqual([503, 'unavailable']);
  expect(first.json().detail).toContain('may have taken effect');
  const again = await write('commit unknown');
  expect([again.status, again.json().code]).toEqual([409, 'idempotency-running']);
  await world.db.ownerQuery(
    `UPDATE idempotency_keys SET created_at = now() - interval '2 minutes' WHERE key = $1 AND status IS NULL`,
    [key],
  );
  expect((await write('commit unknown', other)).json().code).toBe('idempotency-unsettled');
  expect(await queued('commit unknown')).toBe(1);
});

/** A process that commits what queues a message, and then hears nothing of it. */
function losingAnswers(): Pick<ApiDeps, 'storage' | 'outbox'> {
  let hasQueued = false;
  const storage: Storage = {
    ...world.db.storage,
    async inWorkspace(workspaceId, work, planning) {
      const result = await world.db.storage.inWorkspace(workspaceId, work, planning);
      if (!hasQueued) return result;
      hasQueued = false;
      throw new CommitUnknown('struck');
    },
  };
  const outbox: Outbox = {
    ...world.outbox,
    async queueMessage(tx, message) {
      hasQueued = true;
      return world.outbox.queueMessage(tx, message);
    },
  };
  return { storage, outbox };
}

it('forgets a key after a day', async () => {
  await write('daily');
  await world.db.ownerQuery(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours'`);
  expect((await write('daily')).headers['idempotency-replayed']).toBeUndefined();
  expect(await queued('daily')).toBe(2);
});

it('keeps no secret in the open: the answer that made an account lies sealed', async () => {
  const made = await world.ask('POST', '/api/v1/accounts', {
    headers: { ...headers, 'idempotency-key': key },
    body: metaAccount(),
  });
  const again = await other.ask('POST', '/api/v1/accounts', {
    headers: { ...headers, 'idempotency-key': key },
    body: {},
  });
  expect(again.status).toBe(400);
  const { token } = made.json<{ token: string }>();
  const kept = await world.db.ownerQuery<{ response: string }>(
    'SELECT response::text FROM idempotency_keys WHERE response IS NOT NULL',
  );
  expect(token.length).toBeGreaterThan(30);
  for (const { response } of kept) {
    expect(response).not.toContain(token);
    expect(Buffer.from(JSON.parse(response) as string, 'base64').toString()).not.toContain(token);
  }
});

it('refuses a key that is none', async () => {
  for (const wrong of ['', 'x'.repeat(256), 'ümlaut']) {
    key = wrong;
    expect((await write('never')).status).toBe(400);
  }
});

it('is deleted when it is a day old, by whoever keeps the house', async () => {
  await write('kept');
  const kept = key;
  key = `${key} old`;
  await write('old');
  await world.db.ownerQuery(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = $1`, [
    key,
  ]);
  expect(await deleteOldKeys(world.db.storage)).toBeGreaterThan(0);
  const left = await world.db.ownerQuery<{ key: string }>('SELECT key FROM idempotency_keys');
  expect(left.map((row) => row.key)).toContain(kept);
  expect(left.map((row) => row.key)).not.toContain(key);
});
